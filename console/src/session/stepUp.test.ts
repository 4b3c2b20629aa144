import { expect, test } from 'vitest';
import { StepUp } from './stepUp';

test('everything that waits goes on together, and the next one is asked anew', async () => {
  const stepUp = new StepUp();
  const first = stepUp.ask();
  const second = stepUp.ask();
  expect(stepUp.snapshot()).toBe(true);
  stepUp.done(true);
  expect(await Promise.all([first, second])).toEqual([true, true]);
  expect(stepUp.snapshot()).toBe(false);
  const third = stepUp.ask();
  stepUp.done(false);
  expect(await third).toBe(false);
});
