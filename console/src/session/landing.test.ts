import { expect, test } from 'vitest';
import { readLanding, ssoProblem } from './landing';

test('a code has words, one that is not known as well, and none has none', () => {
  expect(ssoProblem('denied')).toContain('cancelled');
  expect(ssoProblem('<b>anything</b>')).toContain('did not work');
  expect(ssoProblem(null)).toBeNull();
});

test('a problem is taken out of the address, and what else was there stays', () => {
  const found = readLanding('?stage=new&sso_problem=too_late', '');
  expect(found).toMatchObject({ problem: expect.stringContaining('Start again'), step: null });
  expect(found.search).toBe('?stage=new');
  expect(readLanding('', '')).toEqual({ problem: null, step: null, search: '' });
});

test('a second step comes with its token', () => {
  expect(readLanding('', '#second=abc_-123').step).toMatchObject({ step: 'second', token: 'abc_-123' });
});
