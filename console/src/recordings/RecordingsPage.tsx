import { Button, Group, Modal, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconMicrophoneOff, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Recording } from '../api/types';
import { useMay } from '../app/hooks';
import { Age } from '../ui/Age';
import { attempt } from '../ui/notify';
import { Page, PageBody, Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import { Player } from './Player';
import { useDeleteRecording, useRecordings, useTranscript } from './queries';
import classes from './Recordings.module.css';

const WORDS: Record<Recording['state'], string> = {
  starting: 'About to begin',
  recording: 'Being recorded',
  paused: 'Paused',
  fetching: 'Being fetched',
  stored: '',
  failed: 'Not kept',
  deleted: 'Deleted',
};

function Transcript({ id }: { id: string }) {
  const query = useTranscript(id, true);
  if (query.isPending) return <Loading rows={3} />;
  return <p className={classes.transcript}>{query.data?.transcript ?? 'There is no transcript.'}</p>;
}

/** The words that were looked for, marked in what was said around them. */
function Excerpt({ text }: { text: string }) {
  const parts = text.split(/«|»/);
  return (
    <Text size="xs" className="muted">
      …
      {parts.map((part, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts have no other name
        index % 2 ? <mark key={index}>{part}</mark> : part,
      )}
      …
    </Text>
  );
}

function Row({ recording, mayDelete }: { recording: Recording; mayDelete: boolean }) {
  const [reading, setReading] = useState(false);
  const [asking, setAsking] = useState(false);
  const remove = useDeleteRecording();
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Link to={`/contacts/${recording.contact.id}`} className={classes.name}>
          {recording.contact.name}
        </Link>
        <Text size="xs" className="muted">
          {recording.kind === 'voicemail' ? 'Left a voicemail' : (recording.user?.name ?? 'Nobody')} ·{' '}
          {moment(recording.started_at ?? recording.created_at)}
          {recording.announced_at && ' · announced'}
        </Text>
        {recording.excerpt && <Excerpt text={recording.excerpt} />}
        {recording.error && (
          <Text size="xs" style={{ color: 'var(--rs-bad)' }}>
            {recording.error}
          </Text>
        )}
        {reading && <Transcript id={recording.id} />}
      </div>
      {recording.state === 'stored' ? (
        <Player recording={recording} />
      ) : (
        <Text size="xs" className="muted">
          {WORDS[recording.state]}
        </Text>
      )}
      {recording.has_transcript && (
        <Button
          size="compact-sm"
          variant="subtle"
          aria-expanded={reading}
          onClick={() => setReading(!reading)}
        >
          {reading ? 'Hide text' : 'Text'}
        </Button>
      )}
      {mayDelete && recording.state === 'stored' && (
        <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setAsking(true)}>
          Delete
        </Button>
      )}
      <Modal opened={asking} onClose={() => setAsking(false)} title="Delete this recording?">
        <Text>The sound and the text are gone for good, here and at the telephone provider.</Text>
        <Group justify="flex-end" gap="xs" mt="md">
          <Button variant="subtle" color="gray" onClick={() => setAsking(false)}>
            Cancel
          </Button>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() =>
              attempt(remove.mutateAsync(recording.id), 'The recording could not be deleted', () =>
                setAsking(false),
              )
            }
          >
            Delete
          </Button>
        </Group>
      </Modal>
    </li>
  );
}

/** Recorded calls, and the words in them. */
export default function RecordingsPage() {
  const may = useMay();
  const [q, setQ] = useState('');
  const [settled] = useDebouncedValue(q.trim(), 200);
  const query = useRecordings({ limit: 100, ...(settled ? { q: settled } : {}) });
  const list = query.data?.data ?? [];
  return (
    <Page title="Recordings" beside={<Age updatedAt={query.dataUpdatedAt} />}>
      <PageBody>
        <TextInput
          type="search"
          maw={420}
          mb="md"
          aria-label="Search what was said"
          placeholder="Words that were said"
          leftSection={<IconSearch size={16} stroke={1.7} />}
          value={q}
          onChange={(event) => setQ(event.currentTarget.value)}
        />
        <Panel title={settled ? 'Found' : 'Newest first'}>
          {query.isPending && <Loading />}
          {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
          {query.isSuccess && list.length === 0 && (
            <Empty
              icon={<IconMicrophoneOff size={20} />}
              title={settled ? 'Nobody said that' : 'Nothing recorded yet'}
            >
              {settled
                ? 'Only calls with a transcript are searched.'
                : 'Calls are recorded when the company says so, or when you press Record in a call.'}
            </Empty>
          )}
          <ul className={classes.list} aria-label="Recordings">
            {list.map((recording) => (
              <Row key={recording.id} recording={recording} mayDelete={may('recordings:delete')} />
            ))}
          </ul>
        </Panel>
      </PageBody>
    </Page>
  );
}
