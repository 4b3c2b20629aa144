import { minuteOfDay } from '../ui/time';

const HOUR = 3_600_000;

/**
 * How long until the company's next day may begin. Days have 23 to 25 hours, and begin on a quarter of an hour everywhere: from
 * the 23rd hour on the hub is asked at each quarter.
 */
export function untilNextDay(since: string | undefined, now: number): number {
  if (since === undefined) return HOUR;
  const rest = Date.parse(since) + 23 * HOUR - now;
  return (rest > 0 ? rest : HOUR / 4 - (now % (HOUR / 4))) + 500;
}

/** "Since 15:00 your time", where the company's day begins at another hour than here; else nothing. */
export function begunElsewhere(since: string): string | undefined {
  const begun = new Date(since);
  return begun.getHours() === 0 && begun.getMinutes() === 0
    ? undefined
    : `Since ${minuteOfDay(since)} your time`;
}
