import { Group, Select, TextInput } from '@mantine/core';
import type { components } from '../api/schema';
import { words } from './naming';
import { useFacets } from './queries';

export type SavedFilter = components['schemas']['SavedFilter'];

/** A filter over the contacts; empty means everybody. */
export function WhichContacts({
  value,
  onChange,
}: {
  value: SavedFilter;
  onChange: (to: SavedFilter) => void;
}) {
  const facets = useFacets().data;
  const set = (name: 'q' | 'stage' | 'tag' | 'owner_id', to: string | null) => {
    const { [name]: _before, ...others } = value;
    onChange(to ? { ...others, [name]: to } : others);
  };
  return (
    <>
      <TextInput
        label="Search"
        placeholder="Everybody"
        value={value.q ?? ''}
        onChange={(event) => set('q', event.currentTarget.value)}
      />
      <Group grow>
        <Select
          label="Stage"
          placeholder="Any"
          clearable
          data={(facets?.stages ?? []).map((each) => ({ value: each, label: words(each) }))}
          value={value.stage ?? null}
          onChange={(to) => set('stage', to)}
        />
        <Select
          label="Tag"
          placeholder="Any"
          clearable
          searchable
          data={facets?.tags ?? []}
          value={value.tag ?? null}
          onChange={(to) => set('tag', to)}
        />
      </Group>
      <Select
        label="Owner"
        placeholder="Anybody"
        clearable
        data={(facets?.owners ?? []).map((each) => ({ value: each.id, label: each.name }))}
        value={value.owner_id ?? null}
        onChange={(to) => set('owner_id', to)}
      />
    </>
  );
}
