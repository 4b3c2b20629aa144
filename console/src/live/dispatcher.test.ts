import { QueryClient, type QueryFunctionContext, type QueryKey } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keys } from '../api/keys';
import type { Call, Contact, ContactPage, Floor } from '../api/types';
import { Dispatcher } from './dispatcher';
import type { LiveEvent } from './events';
import { call, contact, event, floor, person } from './fixtures';
import { EventLog } from './log';
import type { ContactPages } from './reduce/contacts';

let client: QueryClient;
let log: EventLog;
let dispatcher: Dispatcher;

beforeEach(() => {
  vi.useFakeTimers();
  client = new QueryClient();
  log = new EventLog();
  log.ready({ epoch: 'e1', seq: 10 });
  dispatcher = new Dispatcher(client, log);
});

afterEach(() => {
  client.clear();
  vi.useRealTimers();
});

function arrive(...events: LiveEvent[]): void {
  for (const each of events) if (log.accept(each)) dispatcher.apply(each);
}

function asking(queryKey: QueryKey): QueryFunctionContext {
  return { client, queryKey, signal: new AbortController().signal, meta: undefined };
}

const NEWEST = keys.contacts({ sort: '-created_at' });
const page = (...data: Contact[]): ContactPage => ({ data, next_cursor: null });
const pages = (...all: ContactPage[]): ContactPages => ({ pages: all, pageParams: all.map(() => null) });
const idsOf = (key: QueryKey) =>
  client.getQueryData<ContactPages>(key)?.pages.map((each) => each.data.map((one) => one.id));

test('a new contact goes on top of the newest-first list, once', () => {
  client.setQueryData(NEWEST, pages(page(contact('a')), page(contact('b'))));
  const made = contact('c', { created_at: '2026-03-02T00:00:00Z' });
  dispatcher.apply({ type: 'contact.created', data: { contact: made } });
  arrive(event(11, 'contact.created', { contact: made }));
  expect(idsOf(NEWEST)).toEqual([['c', 'a'], ['b']]);
});

test('a list in another order is read again, at most once a second', async () => {
  const key = keys.contacts({ sort: 'name' });
  client.setQueryData(key, pages(page(contact('a'))));
  const reread = vi.spyOn(client, 'invalidateQueries');
  arrive(
    event(11, 'contact.created', { contact: contact('c') }),
    event(12, 'contact.created', { contact: contact('d') }),
  );
  await vi.advanceTimersByTimeAsync(1000);
  expect(reread).toHaveBeenCalledTimes(1);
  expect(reread).toHaveBeenCalledWith({ queryKey: key, exact: true });
});

test('a contact that no longer fits the filter leaves the list', () => {
  const key = keys.contacts({ sort: '-created_at', stage: 'lead' });
  client.setQueryData(key, pages(page(contact('a'), contact('b'))));
  arrive(event(11, 'contact.updated', { contact: contact('a', { stage: 'customer' }) }));
  expect(idsOf(key)).toEqual([['b']]);
});

test('a deleted contact leaves list and search, and comes back when restored', () => {
  const found = keys.search('bob');
  client.setQueryData(NEWEST, pages(page(contact('a'))));
  client.setQueryData(found, page(contact('a')));
  arrive(event(11, 'contact.deleted', { contact_id: 'a' }));
  expect(idsOf(NEWEST)).toEqual([[]]);
  expect(client.getQueryData<ContactPage>(found)?.data).toEqual([]);
  arrive(event(12, 'contact.restored', { contact: contact('a') }));
  expect(idsOf(NEWEST)).toEqual([['a']]);
});

test('an older view of a contact does not replace a newer one', () => {
  client.setQueryData(keys.contact('a'), contact('a', { title: 'CFO', updated_at: '2026-03-05T00:00:00Z' }));
  arrive(event(11, 'contact.updated', { contact: contact('a', { updated_at: '2026-03-04T00:00:00Z' }) }));
  expect(client.getQueryData<Contact>(keys.contact('a'))?.title).toBe('CFO');
});

test('an answer that was read before an event is brought up to date with it', async () => {
  const key = keys.contact('a');
  const read = dispatcher.current(async () => {
    arrive(
      event(11, 'contact.updated', {
        contact: contact('a', { title: 'CEO', updated_at: '2026-03-09T00:00:00Z' }),
      }),
    );
    return contact('a');
  });
  expect((await read(asking(key))).title).toBe('CEO');
});

test('what is new while a later page is on its way is not put on top of that page', async () => {
  const made = contact('new', { created_at: '2026-03-09T00:00:00Z' });
  const read = dispatcher.currentPage(async () => {
    arrive(event(log.cursor ? log.cursor.seq + 1 : 0, 'contact.created', { contact: made }));
    return page(contact('z'));
  });
  const context = (pageParam: string | null) => ({
    ...asking(NEWEST),
    pageParam,
    direction: 'forward' as const,
  });
  expect((await read(context('cursor'))).data.map((each) => each.id)).toEqual(['z']);
  expect((await read(context(null))).data.map((each) => each.id)).toEqual(['new', 'z']);
});

test('the floor applies only events after its snapshot', () => {
  client.setQueryData(keys.floor(), floor(12));
  const busy = call('k', { state: 'busy', outcome: 'busy' });
  arrive(
    event(12, 'call.state_changed', { call: call('k') }),
    event(13, 'call.state_changed', { call: call('k', { state: 'dialing' }) }),
    event(14, 'call.state_changed', { call: busy }),
  );
  const now = client.getQueryData<Floor>(keys.floor());
  expect(now?.today).toMatchObject({ calls: 0, by_outcome: { busy: 1 } });
  expect(now?.recent.map((each) => each.seq)).toEqual([14, 13]);
});

test('a floor snapshot older than the last events gets them, a newer one does not', async () => {
  arrive(event(11, 'presence.changed', { person: person('ana', { state: 'away' }) }));
  const stateOf = async (seq: number) => {
    const read = dispatcher.current(
      async () => floor(seq),
      (data) => data,
    );
    return (await read(asking(keys.floor()))).people[0]?.state;
  };
  expect(await stateOf(10)).toBe('away');
  expect(await stateOf(11)).toBe('online');
});

test('a call moves over the floor from queued to connected and is counted once', () => {
  client.setQueryData(keys.floor(), floor(10));
  const answered = { answered_at: '2026-03-01T10:00:10Z' };
  const ended = { ...answered, ended_at: '2026-03-01T10:01:10Z', outcome: 'connected' as const };
  dispatcher.apply({ type: 'call.state_changed', data: { call: call('k') } });
  arrive(
    event(11, 'call.state_changed', { call: call('k') }),
    event(12, 'presence.changed', { person: person('ana', { state: 'on_call', call: call('k') }) }),
    event(13, 'call.state_changed', { call: call('k', { state: 'in_progress', ...answered }) }),
  );
  let now = client.getQueryData<Floor>(keys.floor());
  expect(now?.live_calls.map((each) => each.state)).toEqual(['in_progress']);
  expect(now?.people[0]?.call?.state).toBe('in_progress');
  arrive(event(14, 'call.state_changed', { call: call('k', { state: 'completed', ...ended }) }));
  now = client.getQueryData<Floor>(keys.floor());
  expect(now?.live_calls).toEqual([]);
  expect(now?.today).toMatchObject({ calls: 1, connected: 1, talk_s: 60, by_outcome: { connected: 1 } });
});

test('a disposition shows at once and has the sums read again', async () => {
  client.setQueryData(keys.floor(), floor(10));
  const reread = vi.spyOn(client, 'invalidateQueries');
  arrive(
    event(11, 'call.disposition_set', { call: call('k', { state: 'completed', disposition: 'callback' }) }),
  );
  expect(client.getQueryData<Floor>(keys.floor())?.recent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(reread).toHaveBeenCalledWith({ queryKey: keys.floor(), exact: true });
});

test("the call bar follows its person's newest call and never steps back", () => {
  const key = keys.lastCall('ana');
  client.setQueryData(key, null);
  arrive(
    event(11, 'call.state_changed', { call: call('other', { user_id: 'ben' }) }),
    event(12, 'call.state_changed', { call: call('k', { state: 'ringing' }) }),
  );
  dispatcher.apply({ type: 'call.state_changed', data: { call: call('k', { state: 'queued' }) } });
  expect(client.getQueryData<Call>(key)).toMatchObject({ id: 'k', state: 'ringing' });
  arrive(event(13, 'call.updated', { call: call('k', { state: 'in_progress', user_id: 'ben' }) }));
  expect(client.getQueryData<Call>(key)).toBeNull();
});

test('the audit log is read again when it grows, whoever is looked for', async () => {
  const key = keys.audit({ actor_id: 'ana' });
  client.setQueryData(key, { pages: [], pageParams: [] });
  const reread = vi.spyOn(client, 'invalidateQueries');
  const grown = { ...event(11, 'member.updated', {} as never), type: 'audit.grew' } as unknown as LiveEvent;
  arrive(grown);
  await vi.advanceTimersByTimeAsync(1000);
  expect(reread).toHaveBeenCalledExactlyOnceWith({ queryKey: key, exact: true });
});
