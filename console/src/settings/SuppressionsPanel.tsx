import { Button, Select, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type FormEvent, useState } from 'react';
import { inWords } from '../api/errors';
import type { Suppression } from '../api/types';
import { ToneBadge } from '../calls/StateBadge';
import { readable } from '../contacts/naming';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Loading } from '../ui/States';
import { moment } from '../ui/time';
import { useSuppress, useSuppressions, useUnsuppress } from './compliance';
import classes from './Settings.module.css';

const KINDS: { value: Suppression['kind']; label: string }[] = [
  { value: 'phone', label: 'Number' },
  { value: 'email', label: 'Email' },
  { value: 'domain', label: 'Domain' },
  { value: 'company', label: 'Company' },
];

function why(each: Suppression): string {
  const by = each.created_by ? `${each.created_by.name}, ` : '';
  const until = each.expires_at ? `, until ${moment(each.expires_at)}` : '';
  return `${each.reason || 'No reason given'} · ${by}${moment(each.created_at)}${until}`;
}

/** Who is not to be reached, whatever else allows it. */
export function SuppressionsPanel({ mayEdit }: { mayEdit: boolean }) {
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search.trim(), 200);
  const query = useSuppressions(settled);
  const add = useSuppress();
  const remove = useUnsuppress();
  const [kind, setKind] = useState<Suppression['kind']>('phone');
  const [value, setValue] = useState('');
  const [reason, setReason] = useState('');
  const list = query.data?.data ?? [];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(
      { kind, value: value.trim(), reason: reason.trim(), channel: 'all', source: 'person' },
      {
        onSuccess: () => {
          setValue('');
          setReason('');
        },
      },
    );
  };
  return (
    <Panel
      title="Do not call, do not write"
      aside={
        <TextInput
          size="xs"
          type="search"
          aria-label="Search the list"
          placeholder="Begins with"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      }
    >
      {query.isPending && <Loading rows={3} />}
      <ul className={classes.rows} aria-label="Suppressed">
        {list.map((each) => (
          <li key={each.id} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={600} className="tabular">
                {each.kind === 'phone' ? readable(each.value) : each.value}
              </Text>
              <Text size="xs" className="muted">
                {why(each)}
              </Text>
            </div>
            {(each.source === 'contact' || each.source === 'stop') && (
              <ToneBadge tone="bad">Their own word</ToneBadge>
            )}
            {mayEdit && (
              <Button
                size="compact-sm"
                variant="subtle"
                color="gray"
                onClick={() => attempt(remove.mutateAsync(each.id), 'The entry could not be removed')}
              >
                Remove
              </Button>
            )}
          </li>
        ))}
        {query.isSuccess && list.length === 0 && (
          <li className={classes.row}>
            <Text className="muted">{settled ? 'Nothing begins with that.' : 'Nobody is on the list.'}</Text>
          </li>
        )}
      </ul>
      <form className={classes.form} onSubmit={submit}>
        <div className={classes.pair}>
          <Select
            label="What"
            allowDeselect={false}
            data={KINDS}
            value={kind}
            onChange={(next) => setKind((next ?? 'phone') as Suppression['kind'])}
          />
          <TextInput
            label="Number, address or domain"
            required
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <TextInput
            label="Reason"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={!value.trim()} loading={add.isPending}>
            Add
          </Button>
        </div>
        {add.error && (
          <Text c="red" role="alert">
            {inWords(add.error)}
          </Text>
        )}
      </form>
    </Panel>
  );
}
