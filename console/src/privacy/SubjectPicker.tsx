import { SegmentedControl, Select, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useMembers } from '../admin/queries';
import { fullName } from '../contacts/naming';
import { useSearch } from '../contacts/queries';

export type Kind = 'contact' | 'member' | 'company';
export type Subject = { kind: Kind; id: string | null; name: string };

type Props = { value: Subject; onChange: (value: Subject) => void; company: string; formerOnly?: boolean };

const KINDS = [
  { value: 'contact', label: 'A contact' },
  { value: 'member', label: 'A colleague' },
  { value: 'company', label: 'The company' },
];

function ContactSelect({ value, onChange }: Pick<Props, 'value' | 'onChange'>) {
  const [words, setWords] = useState('');
  const [settled] = useDebouncedValue(words.trim(), 200);
  const found = useSearch(settled, 8).data?.data ?? [];
  const options = found.map((contact) => ({ value: contact.id, label: fullName(contact) }));
  if (value.id && !options.some((each) => each.value === value.id)) {
    options.unshift({ value: value.id, label: value.name });
  }
  return (
    <Select
      label="Who"
      placeholder="Name, number or address"
      searchable
      data={options}
      filter={({ options: all }) => all}
      nothingFoundMessage={settled ? 'Nobody fits' : undefined}
      searchValue={words}
      onSearchChange={setWords}
      value={value.id}
      onChange={(id, option) => onChange({ kind: 'contact', id, name: option?.label ?? '' })}
    />
  );
}

/** Whose data it is about: a contact, a colleague, or the company as a whole. */
export function SubjectPicker({ value, onChange, company, formerOnly = false }: Props) {
  const members = (useMembers().data?.data ?? []).filter(
    (each) => !formerOnly || each.status === 'deactivated',
  );
  const start = (kind: Kind) => onChange({ kind, id: null, name: kind === 'company' ? company : '' });
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label="Whose data"
        data={KINDS}
        value={value.kind}
        onChange={(kind) => start(kind as Kind)}
        fullWidth
        styles={{ label: { paddingInline: 6 } }}
      />
      {value.kind === 'contact' && <ContactSelect value={value} onChange={onChange} />}
      {value.kind === 'member' && (
        <Select
          label="Who"
          placeholder={members.length ? 'Choose' : 'Nobody was deactivated'}
          description={formerOnly ? 'Only who is deactivated: hand over what they own first.' : undefined}
          searchable
          data={members.map((member) => ({ value: member.id, label: member.name }))}
          value={value.id}
          onChange={(id, option) => onChange({ kind: 'member', id, name: option?.label ?? '' })}
        />
      )}
      {value.kind === 'company' && (
        <Text size="sm" className="muted">
          Everything that is kept of {company}: contacts, calls, recordings, mail, people and settings.
        </Text>
      )}
    </Stack>
  );
}
