import { describe, expect, it } from 'vitest';
import type { Permission } from '../api/types';
import { byArea, switched } from './permissions';

const permission = (name: string, ...needs: string[]): Permission => ({
  name,
  words: name,
  for_keys: true,
  needs,
});
const ALL = [
  permission('calls:write'),
  permission('calls:read'),
  permission('events:read', 'calls:read', 'contacts:read'),
  permission('contacts:delete'),
  permission('contacts:read'),
  permission('novelties:read'),
];

describe('permissions', () => {
  it('stand by area, reading first, and none is left out', () => {
    const areas = byArea(ALL).map((area) => [area.name, area.permissions.map((each) => each.name)]);
    expect(areas).toEqual([
      ['Contacts', ['contacts:read', 'contacts:delete']],
      ['Calls and messages', ['calls:read', 'calls:write']],
      ['Work', ['events:read']],
      ['Other', ['novelties:read']],
    ]);
  });

  it('come with what they need, and go with it', () => {
    const chosen = switched([], 'events:read', true, ALL);
    expect(chosen.sort()).toEqual(['calls:read', 'contacts:read', 'events:read']);
    expect(switched(chosen, 'calls:read', false, ALL)).toEqual(['contacts:read']);
    expect(switched(chosen, 'calls:write', true, ALL)).toContain('calls:write');
  });
});
