import { ApiError, errorFrom } from '../api/errors';
import type { components } from '../api/schema';
import type { Membership, Role, Tokens } from '../api/types';

type Schemas = components['schemas'];
export type SecondStep = Schemas['SecondStep'];
type SecondStepIn = Schemas['SecondStepIn'];
export type ConfirmAsk = Schemas['ConfirmAsk'];
type ConfirmIn = Schemas['ConfirmIn'];
type PasskeyAsk = Schemas['PasskeyAsk'];

export type SignedIn = {
  phase: 'signed_in';
  token: string;
  expiresAt: number;
  user: Tokens['user'];
  tenant: Tokens['tenant'];
  role: Role;
  /** What the role is called, where it is one of the company's own. */
  roleName: string | null;
  permissions: string[];
  tenants: Membership[];
  /** The company wants a second factor that was not shown: nothing else can be done before. */
  needsSecondFactor: boolean;
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
  private leaving = new AbortController();

  constructor(private readonly wire: Wire = { fetch: (...a) => fetch(...a), exclusively, now: Date.now }) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): SessionState => this.state;

  /** Fires when the person signs out: nobody waits any more for what was being read as them. */
  get left(): AbortSignal {
    return this.leaving.signal;
  }

  get token(): string | null {
    return this.state.phase === 'signed_in' ? this.state.token : null;
  }

  /** Whether the company wants a second factor that was not shown in this session. */
  get needsSecondFactor(): boolean {
    return this.state.phase === 'signed_in' && this.state.needsSecondFactor;
  }

  /** Signs in, or says what is needed besides the password. */
  async login(email: string, password: string): Promise<SecondStep | null> {
    const answer = await this.post<Tokens | SecondStep>('login', { email, password });
    if ('step' in answer) return answer;
    this.accept(answer);
    return null;
  }

  /** The second step of a sign-in. */
  async finish(given: SecondStepIn): Promise<void> {
    this.accept(await this.post('second-step', given));
  }

  /** What to ask the browser for to sign in with a passkey. */
  askForPasskey(): Promise<PasskeyAsk> {
    return this.post('passkey/options');
  }

  async loginWithPasskey(token: string, credential: Record<string, unknown>): Promise<void> {
    this.accept(await this.post('passkey', { token, credential }));
  }

  /** How the person can show once more that it is they. */
  async askToConfirm(): Promise<ConfirmAsk> {
    await this.freshToken();
    return this.post('confirm/options');
  }

  /** They show it: the new token opens what is dangerous, for some minutes. */
  async confirm(given: ConfirmIn): Promise<void> {
    await this.freshToken();
    this.accept(await this.post('confirm', given));
  }

  async switchTo(tenantId: string): Promise<void> {
    this.accept(await this.post('switch', { tenant_id: tenantId }));
  }

  /** Forgets the session here even when the server cannot be told. */
  async logout(everywhere: boolean): Promise<void> {
    const token = this.token;
    // The pages go first: what they ask while the server ends the session would be refused.
    this.leave();
    this.set({ phase: 'starting' });
    try {
      await this.post('logout', { everywhere }, token);
      this.end(everywhere ? 'You are signed out on every device.' : null);
    } catch (error) {
      const known = error instanceof ApiError && error.status === 401;
      this.end(known ? null : 'The server could not be told. Until it is, a reload may sign you in again.');
    }
  }

  /** Drops the session and shows `notice` on the sign-in page. */
  end(notice: string | null): void {
    this.leave();
    this.set({ phase: 'signed_out', notice });
  }

  /** Gets a new access token with the cookie; concurrent callers share one request. `words` say what is over when it is. */
  refresh(words = ENDED): Promise<boolean> {
    this.refreshing ??= this.wire
      .exclusively(() => this.refreshOnce(words))
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

  private async refreshOnce(words: string): Promise<boolean> {
    const generation = this.generation;
    try {
      const tokens = await this.post<Tokens>('refresh');
      if (generation !== this.generation) return this.token !== null;
      this.accept(tokens);
      return true;
    } catch (error) {
      if (generation !== this.generation) return this.token !== null;
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        this.end(this.state.phase === 'signed_in' ? words : null);
      } else if (this.state.phase === 'signed_in') {
        this.schedule(5_000);
      } else {
        this.set({ phase: 'unreachable' });
      }
      return false;
    }
  }

  private leave(): void {
    this.generation += 1;
    this.leaving.abort();
    this.leaving = new AbortController();
  }

  private async post<T = Tokens>(verb: string, body?: unknown, token = this.token): Promise<T> {
    const headers: Record<string, string> = {};
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const response = await this.wire.fetch(`/api/v1/auth/${verb}`, {
      method: 'POST',
      headers,
      credentials: 'same-origin',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = response.status === 204 ? null : await response.json().catch(() => null);
    if (!response.ok) throw errorFrom(response, answer);
    return answer as T;
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
      roleName: tokens.role_name,
      permissions: tokens.permissions,
      tenants: tokens.tenants,
      needsSecondFactor: tokens.needs_second_factor,
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
