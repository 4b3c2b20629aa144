import type { Call, Floor, Person } from '../../api/types';
import type { Change, LiveEvent } from '../events';
import { isLive, laterCall, type Reducer, Stale } from './shared';

/** How much of the stream is kept on the screen. */
const RECENT = 100;

const REREAD = [
  'call.disposition_set',
  'member.updated',
  'alert.',
  'queue.',
  'dial_session.',
  'company.updated',
];

function withPerson(people: Person[], person: Person): Person[] {
  const index = people.findIndex((item) => item.user.id === person.user.id);
  return index < 0 ? [...people, person] : people.with(index, person);
}

function withCall(floor: Floor, call: Call): Floor {
  const known = floor.live_calls.find((item) => item.id === call.id);
  const next = known ? laterCall(known, call) : call;
  const others = floor.live_calls.filter((item) => item.id !== call.id);
  return {
    ...floor,
    live_calls: isLive(next) ? [...others, next] : others,
    people: floor.people.map((person) =>
      person.call?.id === call.id ? { ...person, call: laterCall(person.call, call) } : person,
    ),
  };
}

function counted(floor: Floor, call: Call): Floor {
  const { today } = floor;
  if (Date.parse(call.started_at) < Date.parse(today.since)) return floor;
  if (call.state === 'queued') return { ...floor, today: { ...today, calls: today.calls + 1 } };
  if (isLive(call) || !call.outcome) return floor;
  const talked =
    call.answered_at && call.ended_at
      ? Math.max(0, (Date.parse(call.ended_at) - Date.parse(call.answered_at)) / 1000)
      : 0;
  return {
    ...floor,
    today: {
      ...today,
      connected: today.connected + (call.outcome === 'connected' ? 1 : 0),
      by_outcome: { ...today.by_outcome, [call.outcome]: (today.by_outcome[call.outcome] ?? 0) + 1 },
      talk_s: today.talk_s + talked,
    },
  };
}

function applied(floor: Floor, change: Change | LiveEvent): Floor {
  switch (change.type) {
    case 'presence.changed':
      return { ...floor, people: withPerson(floor.people, change.data.person) };
    case 'call.state_changed':
    case 'call.disposition_set':
    case 'call.updated':
      return withCall(floor, change.data.call);
    default:
      return floor;
  }
}

/**
 * The floor: a snapshot at `seq`, and every event after it in order.
 *
 * Only events count (a call is counted when it is queued and again when it ends, each once in the log);
 * the answers to this console's own requests move people and calls, and their events do the counting.
 */
export const reduceFloor: Reducer<Floor> = (floor, change) => {
  if (!('seq' in change)) return applied(floor, change);
  if (change.seq <= floor.seq) return floor;
  const moved = applied({ ...floor, seq: change.seq, at: change.at }, change);
  const sums = change.type === 'call.state_changed' ? counted(moved, change.data.call) : moved;
  const next = { ...sums, recent: [change as Floor['recent'][number], ...floor.recent].slice(0, RECENT) };
  // Which disposition a call carried before is not in the event, so the sums by disposition are read again.
  // The same goes for the leaderboard, the queues and the alerts.
  return REREAD.some((start) => change.type.startsWith(start)) ? new Stale(next) : next;
};
