import { afterEach, expect, test, vi } from 'vitest';
import type { Session } from '../session/session';
import { createApi } from './client';

const session = { freshToken: async () => 'token', token: 'token' } as unknown as Session;

function refuseOnce(code: string) {
  const bodies: string[] = [];
  const fetch = vi.fn(async (request: Request) => {
    bodies.push(await request.text());
    return bodies.length === 1
      ? new Response(JSON.stringify({ error: code, message: 'no' }), { status: 403 })
      : new Response(null, { status: 204 });
  });
  vi.stubGlobal('fetch', fetch);
  vi.stubGlobal('window', { location: { origin: 'http://ringside.test' } });
  return bodies;
}

const change = (api: ReturnType<typeof createApi>) =>
  api.PATCH('/api/v1/account/passkeys/{id}', { params: { path: { id: '7' } }, body: { name: 'Laptop' } });

afterEach(() => vi.unstubAllGlobals());

test('what wants a fresh confirmation is sent once more, whole, when the person has given it', async () => {
  const bodies = refuseOnce('step_up_required');
  const answer = await change(createApi(session, undefined, async () => true));
  expect(answer.response.status).toBe(204);
  expect(bodies).toEqual(['{"name":"Laptop"}', '{"name":"Laptop"}']);
});

test('who thinks better of it gets the refusal', async () => {
  const bodies = refuseOnce('step_up_required');
  const answer = await change(createApi(session, undefined, async () => false));
  expect(answer.response.status).toBe(403);
  expect(bodies).toHaveLength(1);
});

test('another refusal asks nobody', async () => {
  refuseOnce('forbidden');
  const ask = vi.fn(async () => true);
  await change(createApi(session, undefined, ask));
  expect(ask).not.toHaveBeenCalled();
});

test('after signing out nobody waits for what was read, and a change under way is not asked again', async () => {
  const leaving = new AbortController();
  const signed = {
    freshToken: async () => 'token',
    token: 'token',
    left: leaving.signal,
  } as unknown as Session;
  const hang = vi.fn(
    (request: Request) =>
      new Promise<Response>((resolve, reject) => {
        if (request.method === 'GET')
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
        else leaving.signal.addEventListener('abort', () => resolve(new Response(null, { status: 401 })));
      }),
  );
  vi.stubGlobal('fetch', hang);
  vi.stubGlobal('window', { location: { origin: 'http://ringside.test' } });
  const api = createApi(signed);
  const reading = api.GET('/api/v1/members', {});
  const changing = change(api);
  await vi.waitFor(() => expect(hang).toHaveBeenCalledTimes(2));
  Object.assign(signed, { token: null });
  leaving.abort();
  await expect(reading).rejects.toThrow(/abort/i);
  expect((await changing).response.status).toBe(401);
  expect(hang).toHaveBeenCalledTimes(2);
});
