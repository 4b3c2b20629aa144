import type { Tone } from '../calls/states';
import type { Account, Invoice, PlanInForce } from './queries';

/** 4900, "usd" -> "$49.00"; below zero with its sign. */
export function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency: currency.toUpperCase() });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minor / 10 ** digits);
}

/** The same without what is always nought: 4900 -> "$49". */
export function roundMoney(minor: number, currency: string): string {
  return money(minor, currency).replace(/[.,]00(?=\D*$)/, '');
}

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });

export function day(at: string): string {
  return DAY.format(new Date(at));
}

export const STANDING: Record<Account['standing'], { words: string; tone: Tone }> = {
  trial: { words: 'Trial', tone: 'plain' },
  active: { words: 'Active', tone: 'good' },
  grace: { words: 'Payment failed', tone: 'warn' },
  read_only: { words: 'Read only', tone: 'bad' },
  suspended: { words: 'Suspended', tone: 'bad' },
};

export const INVOICE: Record<Invoice['status'], { words: string; tone: Tone }> = {
  draft: { words: 'In preparation', tone: 'plain' },
  open: { words: 'To be paid', tone: 'warn' },
  paid: { words: 'Paid', tone: 'good' },
  void: { words: 'Withdrawn', tone: 'plain' },
  uncollectible: { words: 'Not collected', tone: 'bad' },
};

const WHY: Record<PlanInForce['reason'], string> = {
  '': 'Nothing was paid',
  trial_over: 'The trial has ended and no plan was chosen',
  payment_failed: 'The last payment failed',
  canceled: 'The plan was cancelled',
};

/** What the banner says to everybody; nothing while all is well, and in the grace only to those who can pay. */
export function bannerWords(plan: PlanInForce, mayPay: boolean): string | null {
  const until = plan.until ? day(plan.until) : '';
  switch (plan.standing) {
    case 'grace':
      return mayPay ? `The last payment failed. Everything goes on working until ${until}.` : null;
    case 'read_only':
      return `${WHY[plan.reason]}: nothing can be changed, called or sent until it is paid for. Nothing is lost.`;
    case 'suspended':
      return `${WHY[plan.reason]}: the account is suspended. All data is kept, and can be exported.`;
    case 'trial':
      return mayPay && plan.until && Date.parse(plan.until) - Date.now() < 4 * 86_400_000
        ? `The trial ends on ${until}.`
        : null;
    default:
      return null;
  }
}

/** Why a company is suspended, and that it is not for good. */
export function suspendedWords(plan: PlanInForce): string {
  return `${WHY[plan.reason]}. Nothing can be seen, changed, called or sent until it is paid for. No data is deleted, and everything comes back as it was.`;
}

/** What follows, in a sentence. */
export function outlook(account: Account): string {
  const at = account.until ? day(account.until) : '';
  if (account.standing === 'grace')
    return `A payment failed. Everything works until ${at}; the card is tried again by itself.`;
  if (account.standing === 'read_only')
    return `${WHY[account.reason]}. Your team can read everything, but change nothing. On ${at} the account is suspended; no data is deleted.`;
  if (account.standing === 'suspended')
    return `${WHY[account.reason]}. All data is kept; everything works again the moment it is paid for.`;
  if (!account.is_subscribed)
    return `The trial has everything and lasts until ${day(account.trial_ends_at)}. No card is asked for.`;
  if (account.cancel_at) return `Cancelled: the plan ends on ${day(account.cancel_at)}.`;
  if (account.standing === 'trial')
    return `The trial lasts until ${day(account.trial_ends_at)}; the first payment is then.`;
  return account.period_ends_at ? `The next payment is on ${day(account.period_ends_at)}.` : '';
}
