import type { Call, Contact, Floor, Person } from '../api/types';
import type { EventData, EventType, LiveEvent } from './events';

/** Builders for the tests: a plain value of each kind, with what the test is about on top. */
export function contact(id: string, part: Partial<Contact> = {}): Contact {
  return {
    id,
    first_name: 'Bob',
    last_name: id,
    company: 'Acme',
    title: '',
    emails: [],
    phones: [],
    tags: [],
    stage: 'lead',
    owner_id: null,
    custom: {},
    created_at: '2026-03-01T10:00:00Z',
    updated_at: '2026-03-01T10:00:00Z',
    ...part,
  };
}

export function call(id: string, part: Partial<Call> = {}): Call {
  return {
    id,
    contact_id: 'bob',
    contact_name: 'Bob Stone',
    user_id: 'ana',
    state: 'queued',
    direction: 'outbound',
    to: '+12125550101',
    from: '+12125550100',
    started_at: '2026-03-01T10:00:00Z',
    answered_at: null,
    ended_at: null,
    outcome: null,
    disposition: null,
    note: '',
    error: null,
    line_kind: 'simulated',
    on_hold: false,
    recording: 'off',
    answered_by: null,
    permit_id: null,
    number_id: null,
    queue_item_id: null,
    queue_id: null,
    legs: [],
    ...part,
  };
}

export function person(id: string, part: Partial<Person> = {}): Person {
  return {
    user: { id, name: id, role: 'rep' },
    state: 'online',
    since: '2026-03-01T10:00:00Z',
    call: null,
    reason: null,
    until: null,
    ...part,
  };
}

export function floor(seq: number, part: Partial<Floor> = {}): Floor {
  return {
    epoch: 'e1',
    seq,
    at: '2026-03-01T10:00:00Z',
    people: [person('ana')],
    live_calls: [],
    today: {
      calls: 0,
      connected: 0,
      by_outcome: {},
      by_disposition: {},
      talk_s: 0,
      connect_rate: null,
      meetings: 0,
      since: '2026-03-01T00:00:00Z',
    },
    leaderboard: [],
    queues: [],
    alerts: [],
    recent: [],
    ...part,
  };
}

export function event<T extends EventType>(seq: number, type: T, data: EventData[T]): LiveEvent {
  const known = {
    seq,
    id: `event-${seq}`,
    type,
    at: '2026-03-01T10:00:05Z',
    actor: { kind: 'user', id: 'ana', name: 'Ana' },
    subject: { kind: 'test', id: 'x' },
    data,
  };
  return known as LiveEvent;
}
