import createClient, { type Client } from 'openapi-fetch';
import type { Session } from '../session/session';
import { errorFrom } from './errors';
import type { paths } from './schema';

export type Api = Client<paths>;

/** A refusal that lasts no longer than this is waited out; a longer one is told. */
const PATIENCE_S = 10;
const TRIES = 3;

/** Hears that a request waits, and for how many seconds. */
type OnWait = (seconds: number) => void;

/**
 * Sends a request, and again after a 429 when the server says that it will soon be taken: nothing of
 * it was done.
 */
async function patiently(first: Request, onWait: OnWait): Promise<Response> {
  let request = first;
  for (let tries = 1; ; tries += 1) {
    const again = tries < TRIES ? request.clone() : null;
    const response = await fetch(request);
    const waitS = Number(response.headers.get('Retry-After'));
    if (response.status !== 429 || !again || !(waitS > 0 && waitS <= PATIENCE_S)) return response;
    onWait(waitS);
    await new Promise((resolve) => setTimeout(resolve, waitS * 1000 * (1 + Math.random() / 4)));
    request = again;
  }
}

/** Asks the person to confirm once more that it is they; whether they did. */
type OnStepUp = () => Promise<boolean>;

async function wantsStepUp(response: Response): Promise<boolean> {
  if (response.status !== 403) return false;
  const body = await response
    .clone()
    .json()
    .catch(() => null);
  return body?.error === 'step_up_required';
}

/**
 * The typed client: carries the access token and, on a 401, refreshes once and repeats the request. What wants a fresh
 * confirmation is repeated once the person has given it.
 */
export function createApi(session: Session, onWait: OnWait = () => {}, onStepUp?: OnStepUp): Api {
  const once = async (asked: Request): Promise<Response> => {
    // A change that was asked for is seen through; what was only read is of use to nobody after signing out.
    const request =
      asked.method === 'GET'
        ? new Request(asked, { signal: AbortSignal.any([asked.signal, session.left]) })
        : asked;
    const again = request.clone();
    const token = await session.freshToken();
    if (token) request.headers.set('Authorization', `Bearer ${token}`);
    const response = await patiently(request, onWait);
    if (response.status !== 401 || !token) return response;
    // Somebody else may have refreshed while this request was under way.
    if (session.token === token && !(await session.refresh())) return response;
    if (!session.token) return response;
    again.headers.set('Authorization', `Bearer ${session.token}`);
    return patiently(again, onWait);
  };
  const send = async (request: Request): Promise<Response> => {
    const again = request.clone();
    const response = await once(request);
    if (!onStepUp || !(await wantsStepUp(response)) || !(await onStepUp())) return response;
    return once(again);
  };
  return createClient<paths>({ baseUrl: window.location.origin, fetch: send });
}

/** Turns openapi-fetch's either/or into a value or an ApiError. */
export async function unwrap<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw errorFrom(response, error);
  return data as T;
}
