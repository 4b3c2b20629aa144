import { describe, expect, it } from 'vitest';
import type { Account, PlanInForce } from './queries';
import { bannerWords, money, outlook, roundMoney } from './words';

const plan = (standing: PlanInForce['standing'], reason: PlanInForce['reason'] = ''): PlanInForce => ({
  plan: 'pro',
  standing,
  reason,
  until: new Date(Date.now() + 20 * 86_400_000).toISOString(),
  seats: 5,
});

const account: Account = {
  plan: 'pro',
  every: 'month',
  seats: 5,
  standing: 'active',
  reason: '',
  until: null,
  trial_ends_at: '2026-01-15T12:00:00Z',
  status: 'active',
  is_subscribed: true,
  period_ends_at: '2026-03-15T12:00:00Z',
  cancel_at: null,
  card: 'Visa 4242',
  coupon: '',
  balance_minor: 0,
  currency: 'usd',
  mirrored_at: null,
  others: [],
};

describe('amounts', () => {
  it('have as many digits as their currency', () => {
    expect(money(4900, 'usd')).toMatch(/49\.00/);
    expect(money(-150, 'usd')).toMatch(/1\.50/);
    expect(money(4900, 'jpy')).toMatch(/4,900/);
    expect(roundMoney(4900, 'usd')).not.toMatch(/\.00/);
    expect(roundMoney(4950, 'usd')).toMatch(/49\.50/);
  });
});

describe('the banner', () => {
  it('says nothing while all is well, and during the grace only to who can pay', () => {
    expect(bannerWords(plan('active'), true)).toBeNull();
    expect(bannerWords(plan('trial'), true)).toBeNull();
    expect(bannerWords(plan('grace', 'payment_failed'), false)).toBeNull();
    expect(bannerWords(plan('grace', 'payment_failed'), true)).toMatch(/goes on working until/);
  });

  it('says to everybody why nothing can be changed, and that nothing is lost', () => {
    expect(bannerWords(plan('read_only', 'payment_failed'), false)).toMatch(
      /last payment failed.*Nothing is lost/,
    );
    expect(bannerWords(plan('suspended', 'canceled'), false)).toMatch(/cancelled.*All data is kept/);
  });
});

describe('the outlook', () => {
  it('says what comes next', () => {
    expect(outlook(account)).toMatch(/next payment/);
    expect(outlook({ ...account, cancel_at: '2026-03-15T12:00:00Z' })).toMatch(/the plan ends/);
    expect(outlook({ ...account, standing: 'trial' })).toMatch(/first payment/);
    expect(outlook({ ...account, standing: 'trial', is_subscribed: false })).toMatch(/No card/);
  });
});
