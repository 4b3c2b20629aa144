import { useMemo } from 'react';
import type { Person } from '../api/types';
import { useFloor } from './queries';

/** Names of everybody in the company, by id. */
export function usePeopleNames(): ReadonlyMap<string, string> {
  const people = useFloor().data?.people;
  return useMemo(() => new Map((people ?? []).map((person) => [person.user.id, person.user.name])), [people]);
}

export type Group = { state: Person['state']; label: string; people: Person[] };

const LABELS: [Person['state'], string][] = [
  ['on_call', 'On a call'],
  ['wrap_up', 'Wrap-up'],
  ['online', 'Available'],
  ['away', 'Away'],
  ['offline', 'Offline'],
];

/** People by state, the longest in it first. */
export function grouped(people: Person[]): Group[] {
  return LABELS.map(([state, label]) => ({
    state,
    label,
    people: people
      .filter((person) => person.state === state)
      .sort((a, b) => Date.parse(a.since) - Date.parse(b.since) || a.user.name.localeCompare(b.user.name)),
  }));
}
