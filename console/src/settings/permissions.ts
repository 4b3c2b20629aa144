import type { Permission } from '../api/types';

/** Where the permissions of a resource stand in a list of all; what is not here comes last. */
const AREAS: [string, string[]][] = [
  ['Contacts', ['contacts', 'suppressions', 'permits', 'quiet_days']],
  ['Calls and messages', ['calls', 'recordings', 'messages', 'queues', 'numbers']],
  ['Mail and sequences', ['mail', 'mailboxes', 'meetings', 'templates', 'sequences']],
  ['Work', ['tasks', 'floor', 'events', 'alerts', 'settings', 'jobs']],
  [
    'Company',
    [
      'members',
      'teams',
      'roles',
      'api_keys',
      'security',
      'company',
      'billing',
      'audit',
      'privacy',
      'webhooks',
      'outbox',
    ],
  ],
];

const ORDER = ['read', 'write', 'delete'];

export type Area = { name: string; permissions: Permission[] };

/** Permissions by area, in the order in which people look for them. */
export function byArea(permissions: Permission[]): Area[] {
  const resource = (each: Permission) => each.name.split(':')[0] ?? '';
  const place = (each: Permission) => ORDER.indexOf(each.name.split(':')[1] ?? '') + 1 || ORDER.length + 1;
  const ordered = [...permissions].sort((a, b) => place(a) - place(b));
  const known = new Set(AREAS.flatMap(([, resources]) => resources));
  const areas = AREAS.map(([name, resources]) => ({
    name,
    permissions: resources.flatMap((wanted) => ordered.filter((each) => resource(each) === wanted)),
  }));
  areas.push({ name: 'Other', permissions: permissions.filter((each) => !known.has(resource(each))) });
  return areas.filter((area) => area.permissions.length > 0);
}

/** The names that are chosen after one is switched, with what it needs and without what needs it. */
export function switched(chosen: string[], name: string, on: boolean, all: Permission[]): string[] {
  if (on) {
    const needs = all.find((each) => each.name === name)?.needs ?? [];
    return [...new Set([...chosen, name, ...needs])];
  }
  const gone = new Set([name, ...all.filter((each) => each.needs.includes(name)).map((each) => each.name)]);
  return chosen.filter((each) => !gone.has(each));
}
