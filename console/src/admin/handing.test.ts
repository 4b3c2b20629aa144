import { describe, expect, it } from 'vitest';
import { allowed, doneWords, percent, suggested } from './handing';
import type { Belongings, Handover } from './joining';

const HAD: Belongings = {
  contacts: 1200,
  tasks: 1,
  sequences: 1,
  enrolments: 9,
  conversations: 0,
  callbacks: 0,
  templates: 2,
  numbers: 0,
  mailboxes: 1,
};

function handover(more: Partial<Handover>): Handover {
  return {
    id: '1',
    from: { id: 'a', name: 'Rosa' },
    to: null,
    kinds: ['contacts', 'sequences'],
    state: 'running',
    counts: HAD as Record<string, number>,
    done: {},
    created_at: '2026-11-21T20:00:00Z',
    finished_at: null,
    ...more,
  };
}

describe('handing over', () => {
  it('suggests everything there is but the mail', () => {
    expect(suggested(HAD)).toEqual(['contacts', 'tasks', 'sequences', 'templates']);
    expect(suggested(undefined)).toEqual([]);
  });

  it('leaves out what nobody can have where nobody takes over', () => {
    expect(allowed(['contacts', 'templates', 'mailboxes'], null)).toEqual(['contacts']);
    expect(allowed(['contacts', 'templates', 'mailboxes'], 'b')).toEqual([
      'contacts',
      'templates',
      'mailboxes',
    ]);
  });

  it('counts only what changes hands, and is whole only when it is done', () => {
    expect(percent(handover({}))).toBe(0);
    expect(percent(handover({ done: { contacts: 605 } }))).toBe(50);
    expect(percent(handover({ done: { contacts: 1200, sequences: 1, enrolments: 9 } }))).toBe(99);
    expect(percent(handover({ state: 'done' }))).toBe(100);
  });

  it('says what was done in words', () => {
    expect(doneWords(handover({ done: { contacts: 1200, sequences: 1, queues: 3 } }))).toBe(
      '1,200 contacts, 1 sequence',
    );
  });
});
