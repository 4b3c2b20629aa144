import { unwrap } from '../api/client';
import { api } from '../app/services';

/** What the link of a letter leads to: joining a company, or making one live. */
export type Purpose = {
  title: string;
  /** What it is about; using nothing up. */
  look: (token: string) => Promise<Seen>;
  /** With a new account, with the account one is signed in with, with one that belongs to no company now. */
  asNewPerson: (body: { token: string; name: string; password: string }) => Promise<Joined>;
  asMyself: (token: string) => Promise<Joined>;
  again: (token: string) => Promise<Joined>;
  words: (seen: Seen) => { what: string; title: string; button: string };
};

export type Seen = {
  state: 'open' | 'used' | 'accepted' | 'withdrawn' | 'expired';
  company: string;
  name: string;
  email: string;
  role?: string;
  inviter?: string;
  has_account: boolean;
  has_company: boolean;
};

export type Joined = { tenant_id: string; company: string; email: string };

const ROLES: Record<string, string> = {
  owner: 'an owner',
  admin: 'an admin',
  manager: 'a manager',
  rep: 'a rep',
};

export const INVITATION: Purpose = {
  title: 'Join',
  look: (token) => unwrap(api.POST('/api/v1/join/look', { body: { token } })),
  asNewPerson: (body) => unwrap(api.POST('/api/v1/join', { body })),
  asMyself: (token) => unwrap(api.POST('/api/v1/join/accept', { body: { token } })),
  again: (token) => unwrap(api.POST('/api/v1/join/again', { body: { token } })),
  words: (seen) => ({
    what: `${seen.inviter} invites you to join as ${ROLES[seen.role ?? ''] ?? 'a member'}.`,
    title: `Join ${seen.company}`,
    button: 'Join',
  }),
};

export const SIGN_UP: Purpose = {
  title: 'Confirm your address',
  look: (token) => unwrap(api.POST('/api/v1/signup/look', { body: { token } })),
  asNewPerson: (body) => unwrap(api.POST('/api/v1/signup/finish', { body })),
  asMyself: (token) => unwrap(api.POST('/api/v1/signup/company', { body: { token } })),
  again: (token) => unwrap(api.POST('/api/v1/signup/again', { body: { token } })),
  words: (seen) => ({
    what: 'Your address is confirmed with this step, and the company is ready to work.',
    title: `Start ${seen.company}`,
    button: 'Confirm and start',
  }),
};

/** Why a letter's link does nothing any more. */
export function overWords(state: Seen['state']): string {
  switch (state) {
    case 'accepted':
      return 'This invitation was accepted already.';
    case 'withdrawn':
      return 'This invitation was withdrawn. Ask whoever invited you.';
    case 'expired':
      return 'This link has run out. Ask for a new letter.';
    default:
      return 'This link was used already.';
  }
}
