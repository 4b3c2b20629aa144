import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { AuditEntry } from '../api/types';
import { isAtLeast, useMe, usePolling } from '../app/hooks';
import { api, dispatcher } from '../app/services';
import { save } from '../ui/save';

type AuditPage = { data: AuditEntry[]; next_cursor: string | null };
export type AuditFilter = { actor_id?: string; action?: string; since?: string; until?: string };

/** What somebody else tries with an account is told to nobody, so the log is looked at now and then all the same. */
const LOOK_MS = 60_000;
/** So often where nobody is told: without the socket, and for those whose role does not hear what managers hear. */
const LOOK_ALONE_MS = 15_000;

export function useIsTold(): boolean {
  const isLive = usePolling() === false;
  return isAtLeast(useMe().role, 'manager') && isLive;
}

export function useAudit(filter: AuditFilter) {
  return useInfiniteQuery({
    queryKey: keys.audit(filter),
    initialPageParam: null as string | null,
    queryFn: dispatcher.currentPage<AuditPage>(({ signal, pageParam }) =>
      unwrap(
        api.GET('/api/v1/audit', {
          params: { query: { ...filter, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    ),
    getNextPageParam: (last) => last.next_cursor,
    refetchInterval: useIsTold() ? LOOK_MS : LOOK_ALONE_MS,
  });
}

export function useAuditActions() {
  return useQuery({
    queryKey: keys.auditActions(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/audit/actions', { signal }))),
  });
}

export async function downloadAudit(filter: AuditFilter): Promise<void> {
  const answer = api.GET('/api/v1/audit/export', { params: { query: filter }, parseAs: 'blob' });
  save((await unwrap(answer as never)) as Blob, 'audit.csv');
}
