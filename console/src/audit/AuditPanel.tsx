import { Button, Group, Select, Text, TextInput } from '@mantine/core';
import { IconDownload, IconHistory } from '@tabler/icons-react';
import { useState } from 'react';
import { useMembers } from '../admin/queries';
import type { AuditEntry } from '../api/types';
import classes from '../settings/Settings.module.css';
import { Age } from '../ui/Age';
import { Ago } from '../ui/Elapsed';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { type AuditFilter, downloadAudit, useAudit, useAuditActions, useIsTold } from './queries';
import { details, label, said, subject, who } from './words';

function Entry({ entry }: { entry: AuditEntry }) {
  const more = details(entry);
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text>
          <b>{who(entry)}</b> <span className="muted">·</span> {said(entry.action)}{' '}
          {subject(entry) && <b>{subject(entry)}</b>}
        </Text>
        {more && (
          <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
            {more}
          </Text>
        )}
      </div>
      <Text
        size="xs"
        className="muted tabular"
        title={entry.request_id ? `Request ${entry.request_id}` : undefined}
      >
        {entry.address && `${entry.address} · `}
        <Ago at={entry.at} />
      </Text>
    </li>
  );
}

/** The first moment of a day as it is here, and of the day after. */
function dayBegins(day: string, after = 0): string | undefined {
  if (!day) return undefined;
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + after).toISOString();
}

/** Who did what to which, when and from where. */
export default function AuditPanel() {
  const [person, setPerson] = useState<string | null>(null);
  const [action, setAction] = useState<string | null>(null);
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const members = useMembers().data?.data ?? [];
  const actions = useAuditActions().data?.data ?? [];
  const since = dayBegins(from);
  const until = dayBegins(to, 1);
  const filter: AuditFilter = {
    ...(person ? { actor_id: person } : {}),
    ...(action ? { action } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  };
  const query = useAudit(filter);
  const isTold = useIsTold();
  const list = query.data?.pages.flatMap((page) => page.data) ?? [];
  const isFiltered = Object.keys(filter).length > 0;
  const [saving, setSaving] = useState(false);
  const download = () => {
    setSaving(true);
    attempt(
      downloadAudit(filter).finally(() => setSaving(false)),
      'The log could not be exported',
    );
  };
  return (
    <Panel
      title="Audit log"
      aside={
        <Group gap="sm">
          <Age updatedAt={query.dataUpdatedAt} polled={!isTold} />
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconDownload size={14} />}
            loading={saving}
            onClick={download}
          >
            Export as CSV
          </Button>
        </Group>
      }
    >
      <div className={classes.form}>
        <div className={classes.pair} style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(150px, 1fr))' }}>
          <Select
            label="Who"
            placeholder="Anybody"
            clearable
            searchable
            data={members.map((member) => ({ value: member.id, label: member.name }))}
            value={person}
            onChange={setPerson}
          />
          <Select
            label="What"
            placeholder="Anything"
            clearable
            searchable
            data={actions.map((each) => ({ value: each, label: label(each) }))}
            value={action}
            onChange={setAction}
          />
          <TextInput label="From" type="date" value={from} onChange={(e) => setFrom(e.currentTarget.value)} />
          <TextInput label="To" type="date" value={to} onChange={(e) => setTo(e.currentTarget.value)} />
        </div>
      </div>
      {query.isPending && <Loading rows={6} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && list.length === 0 && (
        <Empty icon={<IconHistory size={20} />} title={isFiltered ? 'Nothing fits' : 'Nothing yet'}>
          {isFiltered
            ? 'Nobody did such a thing in that time.'
            : 'Sign-ins, changes of settings and people, listening, exports and the like will stand here.'}
        </Empty>
      )}
      <ul className={classes.rows} aria-label="Entries">
        {list.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ul>
      {query.hasNextPage && (
        <Group justify="center" p="md">
          <Button variant="subtle" loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            Show earlier
          </Button>
        </Group>
      )}
    </Panel>
  );
}
