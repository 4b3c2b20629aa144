import type { SecondStep } from './session';

/** Why a provider's page led to no sign-in, by the code that the browser came back with. */
const PROBLEMS: Record<string, string> = {
  denied: 'The sign-in was cancelled.',
  too_late: 'That sign-in took too long, or was used already. Start again.',
  other_browser: 'That sign-in was begun in another browser. Start again in this one.',
  other_provider: 'The answer came from another provider than the one that was asked. Start again.',
  provider_changed: 'Your company has just changed its sign-in. Start again.',
  provider_error:
    'The provider’s answer could not be believed, or it gave none. Try again, or ask your admin.',
  address_unproven:
    'Your company has not proven that this address is its own, so you cannot be recognised by it. Ask your admin.',
  not_a_member: 'You are not a member of this company. Ask its admin to invite you.',
  deactivated: 'Your access to this company was withdrawn.',
  owner_connects:
    'Owners sign in with their password first, and connect this account under Settings, Sign-in and security.',
  other_person:
    'This address belonged to somebody else at the provider before. Ask your admin to disconnect them.',
  other_account: 'That account is connected to somebody else here.',
  connected_otherwise: 'Another account there is connected already. Disconnect it first.',
  connect_first:
    'Sign in with your password first, and connect Google under Settings, Sign-in and security. Then it works here, too.',
  no_account: 'There is no account with this Google address. Ask to be invited, or sign your company up.',
  no_company: 'Your account does not belong to any company now. Ask an administrator.',
  no_seat: 'Your company has no seat left for you. Ask its admin.',
  no_sso: 'This company has no sign-in of its own.',
  sso_required: 'Your company has a sign-in of its own. Use that one.',
};

/** The words for a code; null where nothing went wrong. */
export function ssoProblem(code: string | null): string | null {
  if (!code) return null;
  return PROBLEMS[code] ?? 'The sign-in did not work. Try again, or use your password.';
}

/** What the browser came back with, and the query without it. */
export function readLanding(
  search: string,
  hash: string,
): { problem: string | null; step: SecondStep | null; search: string } {
  const query = new URLSearchParams(search);
  const problem = ssoProblem(query.get('sso_problem'));
  query.delete('sso_problem');
  const token = new URLSearchParams(hash.slice(1)).get('second');
  const step: SecondStep | null = token
    ? { step: 'second', token, expires_in: 300, methods: ['totp', 'recovery_code'], passkey: null }
    : null;
  return { problem, step, search: query.size ? `?${query}` : '' };
}
