import { expect, test } from 'vitest';
import { GROUPS, SECTIONS } from './sections';

test('every section stands under one heading', () => {
  const held = GROUPS.flatMap((group) => group.holds);
  expect([...held].sort()).toEqual(SECTIONS.map((each) => each.at).sort());
});
