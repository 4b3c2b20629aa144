import { Alert, Button, Group, Modal, Progress, Stack, Text } from '@mantine/core';
import { IconArrowBackUp, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import type { Import } from '../api/types';
import { ToneBadge } from '../calls/StateBadge';
import { usePeopleNames } from '../floor/people';
import { Age } from '../ui/Age';
import { notifyFailure } from '../ui/notify';
import { Page, PageBody, Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import classes from './Imports.module.css';
import { isUnderway, useDownloadFailures, useImport, useUndoImport } from './queries';
import { STATE_TONES, STATE_WORDS } from './words';

const COUNTS: ['created' | 'updated' | 'skipped' | 'failed', string][] = [
  ['created', 'Created'],
  ['updated', 'Updated'],
  ['skipped', 'Skipped'],
  ['failed', 'Failed'],
];

function Bar({ one }: { one: Import }) {
  const known = one.rows !== null && one.rows > 0;
  const percent = known ? Math.min(100, (one.processed / (one.rows ?? 1)) * 100) : 100;
  return (
    <Stack gap={6}>
      <Progress.Root size="lg" radius="xl">
        <Progress.Section value={percent} animated striped aria-label="Rows done" />
      </Progress.Root>
      <Text size="xs" className="muted tabular">
        {one.processed.toLocaleString()} {known && `of ${one.rows?.toLocaleString()} `}rows
      </Text>
    </Stack>
  );
}

function Undo({ one }: { one: Import }) {
  const [asking, setAsking] = useState(false);
  const undo = useUndoImport();
  const run = () =>
    undo.mutate(one.id, {
      onSuccess: () => setAsking(false),
      onError: (error) => notifyFailure('The import could not be undone', error),
    });
  return (
    <>
      <Button variant="default" leftSection={<IconArrowBackUp size={16} />} onClick={() => setAsking(true)}>
        Undo import
      </Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title="Undo this import?">
        <Stack>
          <Text>
            The {one.created.toLocaleString()} contacts that it created go away, and the{' '}
            {one.updated.toLocaleString()} that it updated get their former values back.
          </Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="subtle" color="gray" onClick={() => setAsking(false)}>
              Keep it
            </Button>
            <Button color="red" loading={undo.isPending} onClick={run}>
              Undo the whole import
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function Actions({ one }: { one: Import }) {
  const download = useDownloadFailures();
  return (
    <Group gap="xs">
      {one.failed > 0 && !isUnderway(one) && (
        <Button
          variant="default"
          leftSection={<IconDownload size={16} />}
          loading={download.isPending}
          onClick={() =>
            download.mutate(one, {
              onError: (error) => notifyFailure('The file could not be downloaded', error),
            })
          }
        >
          Download failed rows
        </Button>
      )}
      {one.state === 'done' && <Undo one={one} />}
      {one.state === 'done' && (
        <Button component={Link} to="/contacts">
          See contacts
        </Button>
      )}
    </Group>
  );
}

function Report({ one, updatedAt }: { one: Import; updatedAt: number }) {
  const names = usePeopleNames();
  const by = one.created_by ? names.get(one.created_by) : null;
  return (
    <Panel title={one.filename} aside={<Age updatedAt={updatedAt} />}>
      <Stack p="md" gap="lg">
        <Group justify="space-between">
          <div role="status">
            <ToneBadge tone={STATE_TONES[one.state]}>{STATE_WORDS[one.state]}</ToneBadge>
          </div>
          <Text size="xs" className="muted">
            {moment(one.created_at)}
            {by && ` by ${by}`}
          </Text>
        </Group>
        {one.error && (
          <Alert color="red" role="alert">
            {one.error}
          </Alert>
        )}
        {isUnderway(one) && <Bar one={one} />}
        <dl className={classes.counts}>
          {one.rows !== null && (
            <div>
              <dt>Rows</dt>
              <dd>{one.rows.toLocaleString()}</dd>
            </div>
          )}
          {COUNTS.map(([count, label]) => (
            <div key={count}>
              <dt>{label}</dt>
              <dd>{one[count].toLocaleString()}</dd>
            </div>
          ))}
        </dl>
        {one.warnings > 0 && (
          <Text className="muted">
            In {one.warnings.toLocaleString()} imported rows something was not taken as it stood, such as a
            second number that is not valid.
          </Text>
        )}
        {one.kept > 0 && (
          <Text className="muted">
            {one.kept.toLocaleString()} contacts stayed as they are, because somebody worked on them since.
          </Text>
        )}
        <Actions one={one} />
      </Stack>
    </Panel>
  );
}

/** One import, while it runs and afterwards. */
export default function ImportPage() {
  const { id = '' } = useParams();
  const query = useImport(id);
  return (
    <Page
      title="Import"
      actions={
        <Button variant="default" component={Link} to="/imports">
          Past imports
        </Button>
      }
    >
      <PageBody>
        {query.isPending && <Loading />}
        {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
        {query.data && <Report one={query.data} updatedAt={query.dataUpdatedAt} />}
      </PageBody>
    </Page>
  );
}
