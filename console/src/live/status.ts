/** How the live connection stands. `aliveAt` is when it was last known to be complete. */
export type LinkStatus =
  | { phase: 'off'; aliveAt: number | null }
  | { phase: 'connecting'; aliveAt: number | null }
  | { phase: 'live'; aliveAt: number }
  | { phase: 'reconnecting'; aliveAt: number | null }
  /** The server said good-bye: nothing is tried until the person asks for it. */
  | { phase: 'closed'; aliveAt: number | null; reason: string };

export type Farewell =
  | { kind: 'sign_out'; words: string }
  /** The session is over. Another tab may have opened a new one in this browser; else it is signed out. */
  | { kind: 'follow'; words: string }
  /** The token has to be replaced first; then the connection may be made again. */
  | { kind: 'renew' }
  | { kind: 'ask'; words: string }
  /** Nothing helps but to pay: the banner of the plan says so, and the connection comes back by itself then. */
  | { kind: 'unpaid'; words: string };

const GOODBYES: Record<string, Farewell> = {
  session_revoked: { kind: 'follow', words: 'You were signed out because this session was ended.' },
  deactivated: { kind: 'sign_out', words: 'Your account was deactivated. Ask an admin of your company.' },
  forbidden: {
    kind: 'ask',
    words: 'Your role does not follow what happens live. What you see is read again every few seconds.',
  },
  suspended: {
    kind: 'unpaid',
    words: 'The account of your company is suspended: nothing comes in live until it is paid for.',
  },
  plan_limit: { kind: 'ask', words: 'The plan of your company does not have this connection any more.' },
  token_expired: { kind: 'renew' },
  too_slow: { kind: 'ask', words: 'This connection could not keep up with the floor and was closed.' },
};

/** What a `bye` of the server means for this console. */
export function farewell(reason: string): Farewell {
  return (
    GOODBYES[reason] ?? {
      kind: 'ask',
      words: `The server closed this connection (${reason.replaceAll('_', ' ')}).`,
    }
  );
}

export class StatusStore {
  private status: LinkStatus = { phase: 'off', aliveAt: null };
  private listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): LinkStatus => this.status;

  set(status: LinkStatus): void {
    this.status = status;
    for (const listener of this.listeners) listener();
  }
}
