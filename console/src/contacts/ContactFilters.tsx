import { ActionIcon, Button, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks';
import { IconAdjustmentsHorizontal, IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { ContactFilters as Chosen } from '../api/keys';
import type { Facets } from '../api/types';
import { useHotkeys } from '../ui/hotkeys';
import classes from './Contacts.module.css';
import { words } from './naming';

type Props = {
  q: string;
  filters: Chosen;
  filtered: boolean;
  facets: Facets | undefined;
  set: (name: string, value: string | null) => void;
  clear: () => void;
  /** Little room: the filters are behind a button. */
  compact: boolean;
};

const DAY_MS = 86_400_000;
const SINCE = [
  { value: '1', label: 'Last 24 hours' },
  { value: '7', label: 'Last 7 days' },
  { value: '30', label: 'Last 30 days' },
];

/** The start of the day `days` ago, so that the same choice asks the same question all day. */
function since(days: number): string {
  const from = new Date(Date.now() - days * DAY_MS);
  from.setMinutes(0, 0, 0);
  return from.toISOString();
}

function chosenSpan(updatedSince: string | undefined): string | null {
  if (!updatedSince) return null;
  const days = Math.round((Date.now() - Date.parse(updatedSince)) / DAY_MS);
  return SINCE.find((each) => Number(each.value) >= days)?.value ?? '30';
}

function Filters({ filters, facets, set }: Pick<Props, 'filters' | 'facets' | 'set'>) {
  const [company, setCompany] = useState(filters.company ?? '');
  const applyCompany = useDebouncedCallback((value: string) => set('company', value.trim() || null), 300);
  useEffect(() => {
    if (!filters.company) setCompany('');
  }, [filters.company]);

  const stages = (facets?.stages ?? []).map((value) => ({ value, label: words(value) }));
  const owners = (facets?.owners ?? []).map((each) => ({ value: each.id, label: each.name }));
  return (
    <>
      <Select
        className={classes.filter}
        aria-label="Owner"
        placeholder="Owner"
        clearable
        data={owners}
        value={filters.owner_id ?? null}
        onChange={(value) => set('owner_id', value)}
      />
      <Select
        className={classes.filter}
        aria-label="Stage"
        placeholder="Stage"
        clearable
        data={stages}
        value={filters.stage ?? null}
        onChange={(value) => set('stage', value)}
      />
      <Select
        className={classes.filter}
        aria-label="Tag"
        placeholder="Tag"
        clearable
        searchable
        data={facets?.tags ?? []}
        value={filters.tag ?? null}
        onChange={(value) => set('tag', value)}
      />
      <TextInput
        className={classes.filter}
        aria-label="Company"
        placeholder="Company"
        value={company}
        onChange={(event) => {
          setCompany(event.currentTarget.value);
          applyCompany(event.currentTarget.value);
        }}
      />
      <Select
        className={classes.filter}
        aria-label="Updated since"
        placeholder="Updated"
        clearable
        data={SINCE}
        value={chosenSpan(filters.updated_since)}
        onChange={(value) => set('updated_since', value && since(Number(value)))}
      />
    </>
  );
}

/** Search and filters over the contact list. `/` jumps to the search. */
export function ContactFilters({ q, filters, filtered, facets, set, clear, compact }: Props) {
  const search = useRef<HTMLInputElement>(null);
  const phone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const narrow = phone || compact;
  const [unfolded, setUnfolded] = useState(filtered && phone);
  const [text, setText] = useState(q);
  // What was searched for last from here: emptying the field is no reason to take away what is typed into it by then.
  const applied = useRef(q);
  const searchFor = (value: string) => {
    applied.current = value.trim();
    set('q', applied.current || null);
  };
  const apply = useDebouncedCallback(searchFor, 120);
  useHotkeys([['/', () => search.current?.focus()]]);

  // Cleared from elsewhere, for example by the button of the empty list.
  useEffect(() => {
    if (!q && applied.current) setText('');
    applied.current = q;
  }, [q]);

  return (
    <div className={classes.tools} role="search">
      <TextInput
        ref={search}
        className={classes.search}
        type="search"
        aria-label="Search contacts"
        placeholder="Name, company, email or phone"
        rightSection={narrow ? null : <kbd className={classes.key}>/</kbd>}
        leftSection={<IconSearch size={16} stroke={1.7} />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          apply(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          setText('');
          searchFor('');
        }}
      />
      {narrow && (
        <ActionIcon
          variant={filtered ? 'light' : 'default'}
          size={36}
          aria-label="Filters"
          aria-expanded={unfolded}
          onClick={() => setUnfolded(!unfolded)}
        >
          <IconAdjustmentsHorizontal size={18} stroke={1.7} />
        </ActionIcon>
      )}
      {(!narrow || unfolded) && <Filters filters={filters} facets={facets} set={set} />}
      {(filtered || q) && (
        <Button variant="subtle" color="gray" onClick={clear}>
          Clear
        </Button>
      )}
    </div>
  );
}
