import { unwrap } from '../api/client';
import { api } from '../app/services';
import { readLanding } from './landing';
import type { SecondStep } from './session';

/** Goes to the provider’s page; the browser comes back by itself. */
export async function goToProvider(
  where: { google: true } | { email: string } | { company: string },
): Promise<void> {
  const here = `${window.location.pathname}${window.location.search}`;
  const return_to = here.includes('sso_problem') || here === '/login' ? '/' : here;
  const { url } = await unwrap(api.POST('/api/v1/sso/begin', { body: { ...where, return_to } }));
  window.location.assign(url);
}

/** What the browser came back from a provider with; taken out of the address at once. */
export function takeLanding(): { problem: string | null; step: SecondStep | null } {
  const { pathname, search, hash } = window.location;
  const { problem, step, search: rest } = readLanding(search, hash);
  if (problem || step) window.history.replaceState(window.history.state, '', pathname + rest);
  return { problem, step };
}
