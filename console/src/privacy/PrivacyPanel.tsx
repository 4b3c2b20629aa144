import { Button, Group, Progress, Text } from '@mantine/core';
import { IconShieldLock } from '@tabler/icons-react';
import { useState } from 'react';
import type { PrivacyRequest } from '../api/types';
import { useMay } from '../app/hooks';
import { ToneBadge } from '../calls/StateBadge';
import classes from '../settings/Settings.module.css';
import { Age } from '../ui/Age';
import { Ago } from '../ui/Elapsed';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import { EraseDialog, ExportDialog } from './Dialogs';
import { downloadExport, usePrivacyRequests, useTakeBack } from './queries';
import { RetentionForm } from './RetentionForm';
import { counted, size, state, title } from './words';

function Line({ request }: { request: PrivacyRequest }) {
  if (request.state === 'waiting' && Date.parse(request.due_at) > Date.now()) {
    return <>Begins on {moment(request.due_at)}. Until then it can be taken back.</>;
  }
  if (request.state === 'running') return <>{request.step || 'Begun'} …</>;
  if (request.error) return <>{request.error}</>;
  return <span title={counted(request, 100)}>{counted(request) || 'There was nothing but the name.'}</span>;
}

function Row({ request, mayErase }: { request: PrivacyRequest; mayErase: boolean }) {
  const takeBack = useTakeBack();
  const [saving, setSaving] = useState(false);
  const { tone, text } = state(request);
  const download = () => {
    setSaving(true);
    attempt(
      downloadExport(request).finally(() => setSaving(false)),
      'The file could not be fetched',
    );
  };
  const cancel = () => attempt(takeBack.mutateAsync(request.id), 'It could not be taken back');
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={600}>{title(request)}</Text>
        <Text size="xs" className="muted">
          <Line request={request} />
        </Text>
        {request.state === 'running' && request.total > 0 && (
          <Progress
            mt={6}
            size="sm"
            value={(100 * request.done) / request.total}
            aria-label={`${title(request)}: ${request.done} of ${request.total}`}
          />
        )}
        <Text size="xs" className="muted">
          {request.created_by ? `${request.created_by.name}, ` : ''}
          <Ago at={request.created_at} />
          {request.has_file && request.expires_at ? ` · there until ${moment(request.expires_at)}` : ''}
        </Text>
      </div>
      <ToneBadge tone={tone}>{text}</ToneBadge>
      {request.has_file && (
        <Button size="compact-sm" variant="default" loading={saving} onClick={download}>
          Download {size(request.bytes)}
        </Button>
      )}
      {mayErase && request.state === 'waiting' && (
        <Button size="compact-sm" variant="subtle" color="gray" loading={takeBack.isPending} onClick={cancel}>
          Take back
        </Button>
      )}
    </li>
  );
}

/** Exports and erasures, with how far they are, and how long things are kept. */
export default function PrivacyPanel() {
  const mayErase = useMay()('privacy:erase');
  const query = usePrivacyRequests();
  const [open, setOpen] = useState<'export' | 'erase' | null>(null);
  const list = query.data?.data ?? [];
  return (
    <>
      <Panel title="Exports and erasures" aside={<Age updatedAt={query.dataUpdatedAt} />}>
        <Group gap="xs" p="md">
          <Button variant="default" onClick={() => setOpen('export')}>
            Export data…
          </Button>
          {mayErase && (
            <Button variant="default" c="red" onClick={() => setOpen('erase')}>
              Erase data…
            </Button>
          )}
        </Group>
        {query.isPending && <Loading rows={3} />}
        {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
        {query.isSuccess && list.length === 0 && (
          <Empty icon={<IconShieldLock size={20} />} title="Nobody asked yet">
            When somebody wants to know what you keep of them, or wants to be forgotten, begin here.
          </Empty>
        )}
        <ul className={classes.rows} aria-label="Requests">
          {list.map((request) => (
            <Row key={request.id} request={request} mayErase={mayErase} />
          ))}
        </ul>
      </Panel>
      <RetentionForm />
      {open === 'export' && <ExportDialog onClose={() => setOpen(null)} />}
      {open === 'erase' && <EraseDialog onClose={() => setOpen(null)} />}
    </>
  );
}
