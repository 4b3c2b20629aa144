import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Session } from './session';

const TOKENS = {
  access_token: 'first',
  expires_in: 600,
  user: { id: 'ana', email: 'ana@example.com', name: 'Ana' },
  tenant: { id: 'acme', name: 'Acme' },
  role: 'rep',
  tenants: [],
};

const answer =
  (status: number, body: unknown = null) =>
  async () =>
    new Response(body === null ? null : JSON.stringify(body), { status });

function sessionWith(fetch: () => Promise<Response>) {
  const send = vi.fn(fetch);
  const wire = {
    fetch: send as unknown as typeof globalThis.fetch,
    exclusively: <T>(work: () => Promise<T>) => work(),
    now: Date.now,
  };
  return { session: new Session(wire), send };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('requests that need a new token at the same time share one refresh', async () => {
  const { session, send } = sessionWith(answer(200, TOKENS));
  await Promise.all([session.refresh(), session.refresh(), session.refresh()]);
  expect(send).toHaveBeenCalledTimes(1);
  expect(session.token).toBe('first');
});

test('the token is replaced a minute before it ends', async () => {
  const { session, send } = sessionWith(answer(200, TOKENS));
  await session.refresh();
  await vi.advanceTimersByTimeAsync(539_000);
  expect(send).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(send).toHaveBeenCalledTimes(2);
});

test('a refused refresh ends the session and says so', async () => {
  const { session, send } = sessionWith(answer(200, TOKENS));
  await session.refresh();
  send.mockImplementation(answer(401, { error: 'unauthorized', message: 'no' }));
  expect(await session.refresh()).toBe(false);
  expect(session.state).toMatchObject({ phase: 'signed_out', notice: expect.stringContaining('ended') });
});

test('a session that is over elsewhere goes on as the one that another tab has opened, or says what happened', async () => {
  const { session, send } = sessionWith(answer(200, TOKENS));
  await session.refresh();
  send.mockImplementation(answer(200, { ...TOKENS, access_token: 'of the other tab' }));
  expect(await session.refresh('It was ended.')).toBe(true);
  expect(session.token).toBe('of the other tab');
  send.mockImplementation(answer(401, { error: 'session_ended', message: 'no' }));
  await session.refresh('It was ended.');
  expect(session.state).toEqual({ phase: 'signed_out', notice: 'It was ended.' });
});

test('without a cookie at the start the sign-in page has no notice', async () => {
  const { session } = sessionWith(answer(401, { error: 'unauthorized', message: 'no' }));
  await session.refresh();
  expect(session.state).toEqual({ phase: 'signed_out', notice: null });
});

test('a server that is away for a moment does not sign anybody out', async () => {
  const { session, send } = sessionWith(answer(200, TOKENS));
  await session.refresh();
  send.mockImplementation(answer(503));
  await session.refresh();
  expect(session.state.phase).toBe('signed_in');
  send.mockImplementation(answer(200, { ...TOKENS, access_token: 'second' }));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(session.token).toBe('second');
});

test('a refresh that comes back after signing out does not sign in again', async () => {
  let finish: (response: Response) => void = () => undefined;
  const { session } = sessionWith(() => new Promise((resolve) => (finish = resolve)));
  const refreshing = session.refresh();
  session.end(null);
  finish(new Response(JSON.stringify(TOKENS)));
  await refreshing;
  expect(session.state.phase).toBe('signed_out');
});

test('signing out lets go of what is being read before the server hears of it', async () => {
  const { session, send } = sessionWith(answer(200, TOKENS));
  await session.refresh();
  const { left } = session;
  let at: unknown;
  send.mockImplementation(async () => {
    at = [session.state.phase, left.aborted];
    return new Response(null, { status: 204 });
  });
  await session.logout(false);
  expect(at).toEqual(['starting', true]);
  expect(send).toHaveBeenLastCalledWith(
    '/api/v1/auth/logout',
    expect.objectContaining({ headers: expect.objectContaining({ Authorization: 'Bearer first' }) }),
  );
  expect(session.state).toEqual({ phase: 'signed_out', notice: null });
});
