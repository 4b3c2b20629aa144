import { ApiError, errorFrom } from '../api/errors';
import type { Membership, Role, Tokens } from '../api/types';

export type SignedIn = {
  phase: 'signed_in';
  token: string;
  expiresAt: number;
  user: Tokens['user'];
  tenant: Tokens['tenant'];
  role: Role;
  tenants: Membership[];
};

export type SessionState =
  | { phase: 'starting' }
  | { phase: 'unreachable' }
  | { phase: 'signed_out'; notice: string | null }
  | SignedIn;

type Wire = {
  fetch: typeof fetch;
  /** Runs one refresh at a time over all tabs, which share the rotating cookie. */
  exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  now: () => number;
};

const ENDED = 'Your session has ended. Sign in again.';
/** A token this close to its end is replaced before it is used. */
const EARLY_MS = 60_000;

function exclusively<T>(work: () => Promise<T>): Promise<T> {
  // Web Locks exist in secure contexts only; a plain http address has to do without.
  if (!navigator.locks) return work();
  return navigator.locks.request('ringside-refresh', work) as Promise<T>;
}

/**
 * Who is signed in. The access token lives in this object only, never in storage; the refresh
 * token is a cookie that scripts cannot read.
 */
export class Session {
  state: SessionState = { phase: 'starting' };
  private listeners = new Set<() => void>();
  private refreshing: Promise<boolean> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private generation = 0;

  constructor(private readonly wire: Wire = { fetch: (...a) => fetch(...a), exclusively, now: Date.now }) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): SessionState => this.state;

  get token(): string | null {
    return this.state.phase === 'signed_in' ? this.state.token : null;
  }

  async login(email: string, password: string): Promise<void> {
    this.accept(await this.post('login', { email, password }));
  }

  async switchTo(tenantId: string): Promise<void> {
    this.accept(await this.post('switch', { tenant_id: tenantId }));
  }

  /** Forgets the session here even when the server cannot be told. */
  async logout(everywhere: boolean): Promise<void> {
    try {
      await this.post('logout', { everywhere });
      this.end(everywhere ? 'You are signed out on every device.' : null);
    } catch (error) {
      const known = error instanceof ApiError && error.status === 401;
      this.end(known ? null : 'The server could not be told. Until it is, a reload may sign you in again.');
    }
  }

  /** Drops the session and shows `notice` on the sign-in page. */
  end(notice: string | null): void {
    this.generation += 1;
    this.set({ phase: 'signed_out', notice });
  }

  /** Gets a new access token with the cookie; concurrent callers share one request. */
  refresh(): Promise<boolean> {
    this.refreshing ??= this.wire
      .exclusively(() => this.refreshOnce())
      .finally(() => {
        this.refreshing = null;
      });
    return this.refreshing;
  }

  /** A token good for at least a few seconds, refreshed first when it is about to end. */
  async freshToken(): Promise<string | null> {
    if (this.state.phase === 'signed_in' && this.state.expiresAt - this.wire.now() < 5_000)
      await this.refresh();
    return this.token;
  }

  private async refreshOnce(): Promise<boolean> {
    const generation = this.generation;
    try {
      const tokens = await this.post('refresh');
      if (generation !== this.generation) return this.token !== null;
      this.accept(tokens);
      return true;
    } catch (error) {
      if (generation !== this.generation) return this.token !== null;
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        this.end(this.state.phase === 'signed_in' ? ENDED : null);
      } else if (this.state.phase === 'signed_in') {
        this.schedule(5_000);
      } else {
        this.set({ phase: 'unreachable' });
      }
      return false;
    }
  }

  private async post(verb: string, body?: unknown): Promise<Tokens> {
    const headers: Record<string, string> = {};
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const response = await this.wire.fetch(`/api/v1/auth/${verb}`, {
      method: 'POST',
      headers,
      credentials: 'same-origin',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = response.status === 204 ? null : await response.json().catch(() => null);
    if (!response.ok) throw errorFrom(response, answer);
    return answer as Tokens;
  }

  private accept(tokens: Tokens): void {
    this.generation += 1;
    const lifeMs = tokens.expires_in * 1000;
    this.set({
      phase: 'signed_in',
      token: tokens.access_token,
      expiresAt: this.wire.now() + lifeMs,
      user: tokens.user,
      tenant: tokens.tenant,
      role: tokens.role,
      tenants: tokens.tenants,
    });
    this.schedule(Math.max(lifeMs - EARLY_MS, lifeMs / 2));
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), delayMs);
  }

  private set(state: SessionState): void {
    if (state.phase !== 'signed_in') clearTimeout(this.timer);
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}
