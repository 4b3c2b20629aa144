import { expect, test } from 'vitest';
import type { PrivacyRequest } from '../api/types';
import { counted, size, state, title } from './words';

const request: PrivacyRequest = {
  id: '1',
  kind: 'erasure',
  subject: { kind: 'contact', id: '2', name: 'Ada Lovelace' },
  state: 'running',
  step: 'Erasing',
  done: 0,
  total: 1,
  counts: { tasks: 0, mail: 3, call_legs: 1200 },
  bytes: null,
  has_file: false,
  expires_at: null,
  due_at: '2026-11-21T10:00:00Z',
  error: null,
  created_by: null,
  created_at: '2026-11-21T10:00:00Z',
  finished_at: null,
};

test('a request says what it is about, and no name once that is erased', () => {
  expect(title(request)).toBe('Erasure of Ada Lovelace');
  const erased: PrivacyRequest = { ...request, state: 'done', subject: { ...request.subject, name: '' } };
  expect(title(erased)).toBe('Erasure of a contact');
  expect(state(erased).text).toBe('Erased');
});

test('what there was is counted, the most first, and nothing that was not there', () => {
  expect(counted(request)).toBe(`${(1200).toLocaleString()} call legs · 3 mail`);
  expect(size(1_234_567)).toBe('1.2 MB');
});
