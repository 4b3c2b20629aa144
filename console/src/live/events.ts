import type {
  Activity,
  Call,
  Contact,
  DialSession,
  Import,
  Job,
  Member,
  OwnRole,
  Person,
  WireEvent,
} from '../api/types';

/** What each kind of event carries. */
export type EventData = {
  'contact.created': { contact: Contact };
  'contact.updated': { contact: Contact };
  'contact.restored': { contact: Contact };
  'contact.deleted': { contact_id: string };
  'activity.created': { activity: Activity };
  'import.created': { import: Import };
  'import.progressed': { import: Import };
  'import.completed': { import: Import };
  'import.failed': { import: Import };
  'import.undone': { import: Import };
  'call.state_changed': { call: Call };
  'call.disposition_set': { call: Call };
  'call.updated': { call: Call };
  'presence.changed': { person: Person };
  'dial_session.changed': { session: DialSession };
  'member.updated': { member: Member };
  'member.joined': { member: Member };
  'job.dead': { job: Job };
  'job.retried': { job: Job };
  'job.dropped': { job: Job };
  'role.updated': { role: OwnRole };
  'session.revoked': { session_id: string };
};

export type EventType = keyof EventData;

/** A change to apply to what the console holds: an event, or the answer to this console's own request. */
export type Change = { [T in EventType]: { type: T; data: EventData[T] } }[EventType];

/** An event off the wire, known by its place in the tenant's log. */
export type LiveEvent = Change & Omit<WireEvent, 'type' | 'data'>;
