import { io, type Socket } from 'socket.io-client';
import type { Session } from '../session/session';
import type { Dispatcher } from './dispatcher';
import type { LiveEvent } from './events';
import type { Cursor, EventLog } from './log';
import { farewell, type StatusStore } from './status';

/** How long after the first refusal the connection is tried again; twice as long after each further one. */
const REFUSED_MS = 500;
const REFUSED_AT_MOST_MS = 30_000;

/** The seconds after which a server that has no room now wants to be asked again. */
function retryHintS(error: Error & { data?: { retry_after_s?: unknown } }): number {
  const hint = Number(error.data?.retry_after_s);
  return hint > 0 ? Math.min(hint, 300) : 0;
}

/**
 * The socket: connects with the session's token and the log's cursor, feeds events to the dispatcher,
 * and says how the connection stands.
 */
export class LiveLink {
  private socket: Socket | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private sentToken: string | null = null;
  private refusals = 0;

  constructor(
    private readonly session: Session,
    private readonly log: EventLog,
    private readonly dispatcher: Dispatcher,
    private readonly status: StatusStore,
  ) {
    session.subscribe(() => this.renewToken());
  }

  start(): void {
    this.stop();
    this.status.set({ phase: 'connecting', aliveAt: null });
    const socket = io({
      path: '/socket.io',
      transports: ['websocket'],
      reconnectionDelay: 300,
      reconnectionDelayMax: 5000,
      auth: (answer) => void this.credentials().then(answer),
    });
    this.socket = socket;
    socket.on('ready', (at: Cursor) => this.onReady(at));
    socket.on('event', (event: LiveEvent) => this.onEvent(event));
    socket.on('resync', (at: Cursor) => {
      if (this.log.resync(at)) this.dispatcher.rereadAll();
    });
    socket.on('bye', ({ reason }: { reason: string }) => this.onBye(reason));
    socket.on('connect_error', (error) => {
      this.lost();
      // socket.io keeps trying by itself after a network error, but not after the server's refusal.
      if (error.message === 'forbidden' || error.message === 'suspended') this.onBye(error.message);
      else if (!socket.active) this.connectLater(retryHintS(error));
    });
    socket.on('disconnect', (reason) => {
      if (this.status.snapshot().phase === 'closed') return;
      this.lost();
      if (reason === 'io server disconnect') this.connectLater();
    });
  }

  stop(): void {
    clearTimeout(this.retry);
    this.socket?.removeAllListeners();
    this.socket?.disconnect();
    this.socket = null;
    this.log.reset();
    this.status.set({ phase: 'off', aliveAt: null });
  }

  /** Tries again after a good-bye, because the person asked for it. */
  reconnect(): void {
    this.status.set({ phase: 'reconnecting', aliveAt: this.status.snapshot().aliveAt });
    this.renewAndConnect();
  }

  private async credentials(): Promise<Record<string, unknown>> {
    this.sentToken = await this.session.freshToken();
    return this.log.cursor ? { token: this.sentToken, cursor: this.log.cursor } : { token: this.sentToken };
  }

  private onReady(at: Cursor): void {
    this.status.set({ phase: 'live', aliveAt: Date.now() });
    this.refusals = 0;
    if (this.log.ready(at)) this.dispatcher.rereadAll();
  }

  private onEvent(event: LiveEvent): void {
    if (!this.log.accept(event)) return;
    this.dispatcher.apply(event);
    if (this.changesMe(event)) void this.session.refresh();
  }

  private onBye(reason: string): void {
    const meaning = farewell(reason);
    this.status.set({ phase: 'closed', reason, aliveAt: this.aliveAt() });
    this.socket?.disconnect();
    if (meaning.kind === 'sign_out') this.session.end(meaning.words);
    if (meaning.kind === 'follow') this.renewAndConnect(meaning.words);
    if (meaning.kind === 'renew') this.reconnect();
  }

  private renewToken(): void {
    const { token } = this.session;
    if (!token || token === this.sentToken || !this.socket?.connected) return;
    this.sentToken = token;
    this.socket.emit('auth', { token });
  }

  /** Whether an event says that the session's token no longer tells the truth. */
  private changesMe(event: LiveEvent): boolean {
    if (event.type === 'session.revoked') return true;
    const { state } = this.session;
    if (event.type === 'role.updated') return state.phase === 'signed_in' && state.roleName !== null;
    if (event.type !== 'member.updated' || state.phase !== 'signed_in') return false;
    const { member } = event.data;
    return member.id === state.user.id && (member.role !== state.role || member.role_name !== state.roleName);
  }

  /** A refusal is most often about the token, so there is a new one before the next attempt. */
  private renewAndConnect(words?: string): void {
    void this.session.refresh(words).then((renewed) => {
      if (renewed) this.socket?.connect();
      else this.connectLater();
    });
  }

  /** Later: after what the server asked for, and never all clients at the same moment. */
  private connectLater(hintS = 0): void {
    const backoff = Math.min(REFUSED_MS * 2 ** this.refusals, REFUSED_AT_MOST_MS);
    const delay = Math.max(hintS * 1000, backoff) * (1 + Math.random() / 2);
    this.refusals += 1;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.renewAndConnect(), delay);
  }

  /** Until a break is noticed the picture was complete. */
  private aliveAt(): number | null {
    const status = this.status.snapshot();
    return status.phase === 'live' ? Date.now() : status.aliveAt;
  }

  private lost(): void {
    this.status.set({ phase: 'reconnecting', aliveAt: this.aliveAt() });
  }
}
