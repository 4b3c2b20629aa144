import { expect, test } from 'vitest';
import type { AuditEntry } from '../api/types';
import { details, device, label, said, subject, who } from './words';

const entry: AuditEntry = {
  id: '1',
  at: '2026-11-21T10:00:00Z',
  action: 'member.updated',
  actor: { id: '2', name: 'Rita' },
  address: '192.0.2.7',
  subject: { kind: 'member', id: '3', name: 'Bo' },
  details: {
    role: 'manager',
    request_id: 'x',
    settings: { opens: true, off_regions: ['DE', 'FR'], updated_at: 'now' },
  },
  request_id: 'r',
};

test('an entry reads as a sentence, with what is worth knowing and no ids', () => {
  expect(`${said(entry.action)} ${subject(entry)}`).toBe('Changed the role or status of Bo');
  expect(details(entry)).toBe('role: manager · opens: yes · off regions: DE, FR');
});

test('what has no sentence of its own is said plainly', () => {
  expect(said('webhook_endpoint.secret_rotated')).toBe('Webhook endpoint: secret rotated');
  expect(label('recording.listened')).toBe('Listened to the recording of a call');
});

test('what is gone has no name, and the company is called the company', () => {
  expect(subject({ ...entry, subject: { kind: 'contact', id: '3', name: null } })).toBe(
    'a contact who is gone',
  );
  expect(subject({ ...entry, subject: { kind: 'company', id: '3', name: null } })).toBe('the company');
});

test('who did it to themselves is named once, and who failed to sign in is unknown', () => {
  expect(subject({ ...entry, subject: { kind: 'member', id: '2', name: 'Rita' } })).toBe('');
  expect(who({ ...entry, actor: null })).toBe('Ringside');
  expect(who({ ...entry, actor: null, action: 'sign_in.failed' })).toBe('Somebody');
});

test('a browser is named as people call it', () => {
  const edge =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0';
  expect(device(edge)).toBe('Edge on Windows');
  expect(
    device('Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1 Version/17 Safari/605.1'),
  ).toBe('Safari on macOS');
  expect(device('the warehouse')).toBe('the warehouse');
});
