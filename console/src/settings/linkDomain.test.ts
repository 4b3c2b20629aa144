import { expect, test } from 'vitest';
import { standing, steps } from './linkDomain';

const domain = (change: object = {}) => ({
  domain: 'links.example.com',
  is_used: false,
  checked_at: '2026-11-21T10:00:00Z',
  words: '',
  ...change,
});

test('a domain says in a word how it stands', () => {
  expect(standing(domain({ is_used: true }), false)).toEqual(['In use', 'good']);
  expect(standing(domain(), false)).toEqual(['Not in use', 'bad']);
  expect(standing(domain({ is_used: true }), true)).toEqual(['Being looked at', 'plain']);
  expect(standing(domain({ checked_at: null }), false)).toEqual(['Being looked at', 'plain']);
  expect(standing(domain({ domain: '', checked_at: null }), false)).toEqual(['Not set', 'plain']);
});

test('the record names this server as it is reached', () => {
  const value = (server: string) => steps('links.example.com', server)[0]?.value;
  expect(value('ringside.example.com')).toBe('links.example.com. CNAME ringside.example.com.');
  expect(value('203.0.113.7')).toBe('links.example.com. A 203.0.113.7');
  expect(value('localhost')).toBe('links.example.com. A <address>');
  expect(value('127.0.0.1')).toBe('links.example.com. A <address>');
});
