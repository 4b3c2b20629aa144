import type { Activity, ActivityPage, Call } from '../../api/types';
import type { Change } from '../events';
import { isLive, laterCall, type Reducer, Stale } from './shared';

export type TimelinePages = { pages: ActivityPage[]; pageParams: unknown[] };

function withActivity(data: TimelinePages, activity: Activity): TimelinePages {
  const known = data.pages.some((page) => page.data.some((item) => item.id === activity.id));
  const [first, ...rest] = data.pages;
  if (known || !first) return data;
  return { ...data, pages: [{ ...first, data: [activity, ...first.data] }, ...rest] };
}

function withCall(data: TimelinePages, call: Call): TimelinePages {
  const pages = data.pages.map((page) => ({
    ...page,
    data: page.data.map((item) =>
      item.call?.id === call.id ? { ...item, call: laterCall(item.call, call) } : item,
    ),
  }));
  return { ...data, pages };
}

/** A contact's timeline. */
export const reduceTimeline: Reducer<TimelinePages> = (data, change, key) => {
  switch (change.type) {
    case 'activity.created':
      return change.data.activity.contact_id === key[1] ? withActivity(data, change.data.activity) : data;
    case 'call.state_changed':
    case 'call.disposition_set':
    case 'call.updated':
      return change.data.call.contact_id === key[1] ? withCall(data, change.data.call) : data;
    case 'import.undone':
      return new Stale(data);
    default:
      return data;
  }
};

/** A change that carries a whole call. */
function isCallChange(change: Change): change is Extract<Change, { data: { call: Call } }> {
  return (
    change.type === 'call.state_changed' ||
    change.type === 'call.disposition_set' ||
    change.type === 'call.updated'
  );
}

/** The newest call of one rep, which is what the call bar shows. */
export const reduceLastCall: Reducer<Call | null> = (data, change, key) => {
  if (!isCallChange(change)) return data;
  const { call } = change.data;
  // Handed over to somebody else: from now on it is their bar that shows it.
  if (call.user_id !== key[1]) return data?.id === call.id ? new Stale(null) : data;
  if (data?.id === call.id) return laterCall(data, call);
  const newer = !data || Date.parse(call.started_at) >= Date.parse(data.started_at);
  return newer && (isLive(call) || !data) ? call : data;
};
