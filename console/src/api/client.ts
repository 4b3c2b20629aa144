import createClient, { type Client } from 'openapi-fetch';
import type { Session } from '../session/session';
import { errorFrom } from './errors';
import type { paths } from './schema';

export type Api = Client<paths>;

/** The typed client: carries the access token and, on a 401, refreshes once and repeats the request. */
export function createApi(session: Session): Api {
  const send = async (request: Request): Promise<Response> => {
    const again = request.clone();
    const token = await session.freshToken();
    if (token) request.headers.set('Authorization', `Bearer ${token}`);
    const response = await fetch(request);
    if (response.status !== 401 || !token) return response;
    // Somebody else may have refreshed while this request was under way.
    if (session.token === token && !(await session.refresh())) return response;
    again.headers.set('Authorization', `Bearer ${session.token}`);
    return fetch(again);
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
