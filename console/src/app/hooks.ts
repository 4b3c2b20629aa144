import { useSyncExternalStore } from 'react';
import type { Role } from '../api/types';
import type { LinkStatus } from '../live/status';
import type { SessionState, SignedIn } from '../session/session';
import { linkStatus, session } from './services';

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, session.snapshot);
}

/** The signed-in session; only for what is rendered behind the sign-in page. */
export function useMe(): SignedIn {
  const state = useSession();
  if (state.phase !== 'signed_in') throw new Error('not signed in');
  return state;
}

export function useLink(): LinkStatus {
  return useSyncExternalStore(linkStatus.subscribe, linkStatus.snapshot);
}

/** How often a live query has to ask by itself: never while the socket tells it everything. */
export function usePolling(everyMs = 10_000): number | false {
  return useLink().phase === 'live' ? false : everyMs;
}

const RANK: Record<Role, number> = { rep: 0, manager: 1, admin: 2, owner: 3 };

/** Whether one's role has a permission (`GET /permissions` names them all). */
export function useMay(): (permission: string) => boolean {
  const { permissions } = useMe();
  return (permission) => permissions.includes(permission);
}

export function isAtLeast(role: Role, least: Role): boolean {
  return RANK[role] >= RANK[least];
}
