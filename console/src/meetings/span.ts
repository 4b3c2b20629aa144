import type { Meeting } from '../api/types';

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** From when to when, in one's own time; whole days as days. */
export function span(meeting: Pick<Meeting, 'start_at' | 'end_at' | 'all_day'>): string {
  const [start, end] = [new Date(meeting.start_at), new Date(meeting.end_at)];
  if (!meeting.all_day) return MOMENT.formatRange(start, end);
  return DAY.formatRange(start, new Date(end.getTime() - 1));
}
