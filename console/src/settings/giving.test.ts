import { expect, test } from 'vitest';
import type { Mailbox, Member } from '../api/types';
import { consequences, isOwnerGone, rests, takers } from './giving';

const person = (id: string, name: string, status: Member['status'] = 'active') =>
  ({ id, name, status, role: 'rep', email: `${id}@example.com` }) as Member;

const rosa = person('rosa', 'Rosa', 'deactivated');
const ravi = person('ravi', 'Ravi');
const olivia = person('olivia', 'Olivia');
const everybody = [rosa, ravi, olivia];

const mailbox = (change: Partial<Mailbox> = {}) =>
  ({
    address: 'rosa@example.com',
    user: { id: 'rosa', name: 'Rosa' },
    visibility: 'private',
    state: 'paused',
    ...change,
  }) as Mailbox;

test('a private mailbox rests while its owner is gone; a shared or paused one does not', () => {
  expect(isOwnerGone(mailbox(), everybody)).toBe(true);
  expect(rests(mailbox(), true)).toBe(true);
  expect(rests(mailbox({ visibility: 'team', state: 'active' }), true)).toBe(false);
  expect(rests(mailbox(), false)).toBe(false);
});

test('it is given to active members, not to the owner', () => {
  expect(takers(mailbox(), everybody)).toEqual([ravi, olivia]);
  expect(takers(mailbox({ user: { id: 'ravi', name: 'Ravi' } }), everybody)).toEqual([olivia]);
});

test('whoever gives it away reads what the new owner sees, private mail included', () => {
  const lines = consequences(mailbox(), ravi, 'olivia', true);
  expect(lines[0]).toBe('Ravi sees all mail in it, older mail too, and also what was private to Rosa.');
  expect(lines.at(-1)).toContain('mail that waits is sent');
});

test('an owner reads that they lose it, an admin who takes it that they get it', () => {
  const own = mailbox({ user: { id: 'ravi', name: 'Ravi' }, visibility: 'team', state: 'active' });
  expect(consequences(own, olivia, 'ravi', false).at(-1)).toContain('You see its private mail no more');
  expect(consequences(mailbox(), olivia, 'olivia', true)[0]).toMatch(/^You see all mail/);
});
