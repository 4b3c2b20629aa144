import { expect, test } from 'vitest';
import { begunElsewhere, untilNextDay } from './day';

const at = (text: string) => Date.parse(text);

test('a day is looked at again when the next one may begin, also where it has 23 or 25 hours', () => {
  // Berlin's 29 March 2026 has 23 hours, its 25 October 25.
  expect(untilNextDay('2026-03-28T23:00:00Z', at('2026-03-29T21:59:00Z'))).toBe(60_500);
  expect(untilNextDay('2026-03-28T23:00:00Z', at('2026-03-29T22:00:00Z'))).toBe(900_500);
  expect(untilNextDay('2026-10-24T22:00:00Z', at('2026-10-25T22:50:00Z'))).toBe(600_500);
  // Where a day begins at a quarter to: Kathmandu.
  expect(untilNextDay('2026-06-01T18:15:00Z', at('2026-06-02T18:14:00Z'))).toBe(60_500);
  expect(untilNextDay(undefined, 0)).toBe(3_600_000);
});

test('a day that begins at another hour here says so', () => {
  const midnight = new Date(2026, 5, 1);
  expect(begunElsewhere(midnight.toISOString())).toBeUndefined();
  expect(begunElsewhere(new Date(2026, 5, 1, 15).toISOString())).toMatch(/^Since .*(15|3).* your time$/);
});
