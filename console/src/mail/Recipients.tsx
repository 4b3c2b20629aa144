import { TagsInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import type { MailAddress } from '../api/types';
import { fullName } from '../contacts/naming';
import { useSearch } from '../contacts/queries';

const said = ({ name, address }: MailAddress) => (name ? `${name} <${address}>` : address);

/** "Ann Lee <ann@example.com>" or a bare address. */
export function readAddress(text: string): MailAddress {
  const found = /^(.*)<([^<>]+)>\s*$/.exec(text);
  if (!found) return { name: '', address: text.trim() };
  return { name: (found[1] ?? '').trim().replaceAll('"', ''), address: (found[2] ?? '').trim() };
}

type Props = {
  label: string;
  value: MailAddress[];
  autoFocus?: boolean;
  onChange: (to: MailAddress[]) => void;
};

/** Addresses, with contacts offered while one types. */
export function Recipients({ label, value, autoFocus, onChange }: Props) {
  const [typed, setTyped] = useState('');
  const [settled] = useDebouncedValue(typed.trim(), 150);
  const found = useSearch(settled, 6).data?.data ?? [];
  const offers = settled
    ? found.flatMap((contact) =>
        contact.emails.map((email) => said({ name: fullName(contact), address: email.address })),
      )
    : [];
  return (
    <TagsInput
      label={label}
      size="sm"
      autoFocus={autoFocus}
      splitChars={[',', ';']}
      acceptValueOnBlur
      filter={({ options }) => options}
      data={[...new Set(offers)]}
      value={value.map(said)}
      searchValue={typed}
      onSearchChange={setTyped}
      onChange={(texts) => onChange(texts.map(readAddress))}
    />
  );
}
