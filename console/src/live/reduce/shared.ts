import type { Call, CallState, Contact } from '../../api/types';
import type { Change, LiveEvent } from '../events';

/** The best a reducer can say about data that an event changed in a way it cannot know: read it again soon. */
export class Stale<T> {
  constructor(readonly data: T) {}
}
export type Reduced<T> = T | Stale<T>;

/** Keeps one kind of cached data up to date. `key` is the query key, whose parameters say what is listed. */
export type Reducer<T> = (data: T, change: Change | LiveEvent, key: readonly unknown[]) => Reduced<T>;

const RANK: Record<CallState, number> = {
  queued: 0,
  dialing: 1,
  ringing: 2,
  in_progress: 3,
  completed: 4,
  busy: 4,
  no_answer: 4,
  failed: 4,
  canceled: 4,
};

/** A call that has neither ended nor failed. */
export function isLive(call: Pick<Call, 'state'>): boolean {
  return RANK[call.state] < RANK.completed;
}

/** The later of two views of one call: an answer that was read earlier never sets a call back. */
export function laterCall(known: Call, next: Call): Call {
  return RANK[next.state] < RANK[known.state] ? known : next;
}

/** The later of two views of one contact. */
export function laterContact(known: Contact, next: Contact): Contact {
  return Date.parse(next.updated_at) < Date.parse(known.updated_at) ? known : next;
}

/** Replaces the item with the same id by `merge(item, next)`, or leaves the list as it is. */
export function replaceIn<T extends { id: string }>(
  list: T[],
  next: T,
  merge: (known: T, next: T) => T = (_, value) => value,
): T[] {
  const index = list.findIndex((item) => item.id === next.id);
  const known = list[index];
  if (!known) return list;
  const merged = merge(known, next);
  return merged === known ? list : list.with(index, merged);
}
