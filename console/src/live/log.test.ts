import { expect, test } from 'vitest';
import { contact, event } from './fixtures';
import { EventLog } from './log';

const created = (seq: number) => event(seq, 'contact.created', { contact: contact(`c${seq}`) });

test('a console without a cursor starts at the present and reads its state again', () => {
  const log = new EventLog();
  expect(log.ready({ epoch: 'e1', seq: 40 })).toBe(true);
  expect(log.cursor).toEqual({ epoch: 'e1', seq: 40 });
});

test('after a break it goes on where it was, without reading everything again', () => {
  const log = new EventLog();
  log.ready({ epoch: 'e1', seq: 40 });
  log.accept(created(41));
  expect(log.ready({ epoch: 'e1', seq: 41 })).toBe(false);
  expect(log.cursor).toEqual({ epoch: 'e1', seq: 41 });
});

test('events that come twice are dropped, gaps left by other audiences are not', () => {
  const log = new EventLog();
  log.ready({ epoch: 'e1', seq: 40 });
  expect([43, 43, 42, 47].map((seq) => log.accept(created(seq)))).toEqual([true, false, false, true]);
  expect(log.cursor?.seq).toBe(47);
});

test('a connection that begins later than the cursor, or in a new epoch, means a new start', () => {
  const log = new EventLog();
  log.ready({ epoch: 'e1', seq: 40 });
  expect(log.ready({ epoch: 'e1', seq: 55 })).toBe(true);
  expect(log.ready({ epoch: 'e2', seq: 3 })).toBe(true);
  expect(log.cursor).toEqual({ epoch: 'e2', seq: 3 });
});

test('a resync moves the cursor once, also when ready said the same before', () => {
  const log = new EventLog();
  log.ready({ epoch: 'e1', seq: 40 });
  expect(log.resync({ epoch: 'e2', seq: 900 })).toBe(true);
  expect(log.resync({ epoch: 'e2', seq: 900 })).toBe(false);
  expect(log.accept(created(900))).toBe(false);
  expect(log.accept(created(901))).toBe(true);
});

test('it hands out the events after a place of the same epoch only', () => {
  const log = new EventLog();
  log.ready({ epoch: 'e1', seq: 1 });
  log.accept(created(2));
  log.accept(created(3));
  expect(log.after({ epoch: 'e1', seq: 2 }).map((each) => each.seq)).toEqual([3]);
  expect(log.after({ epoch: 'e0', seq: 2 })).toEqual([]);
  expect(log.after(null)).toEqual([]);
});

test('no event is accepted before the server said where the connection begins', () => {
  expect(new EventLog().accept(created(1))).toBe(false);
});
