import { Progress as Bar, Button, Group, SegmentedControl, Text } from '@mantine/core';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import type { DialSession, Queue } from '../api/types';
import { isAtLeast, useMe } from '../app/hooks';
import { ToneBadge } from '../calls/StateBadge';
import { outcomeWords } from '../calls/states';
import { words } from '../contacts/naming';
import { callsBehind } from '../floor/behind';
import { Age } from '../ui/Age';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { dueWords } from '../ui/time';
import classes from './Dialer.module.css';
import { useDeleteQueue, useItems, useJoinQueue, useProgress, useRunQueue } from './queries';
import { ITEM_STATES, QUEUE_STATES } from './words';

const STATES = [
  { value: 'all', label: 'All' },
  { value: 'waiting', label: 'Waiting' },
  { value: 'callback', label: 'Callbacks' },
  { value: 'done', label: 'Done' },
  { value: 'skipped', label: 'Skipped' },
];

function Items({ id }: { id: string }) {
  const [state, setState] = useState('all');
  const query = useItems(id, state);
  const items = query.data?.data ?? [];
  return (
    <Panel
      title="Contacts"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which contacts"
          data={STATES}
          value={state}
          onChange={setState}
        />
      }
    >
      {query.isPending && <Loading rows={5} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      <ul className={classes.items} aria-label="Contacts of the queue">
        {items.map((item) => (
          <li key={item.id}>
            <div className={classes.itemText}>
              <Link to={`/contacts/${item.contact.id}`}>{item.contact.name}</Link>
              <Text size="xs" className="muted truncate">
                {item.reason ?? item.contact.company}
              </Text>
            </div>
            <Text size="xs" className="muted">
              {item.last_outcome ? outcomeWords(item.last_outcome) : ''}
              {item.not_before &&
                Date.parse(item.not_before) > Date.now() &&
                ` · ${dueWords(item.not_before)}`}
            </Text>
            <Text size="xs">
              {ITEM_STATES[item.state]}
              {item.claimed_by && ` · ${item.claimed_by.name}`}
            </Text>
          </li>
        ))}
        {query.isSuccess && items.length === 0 && (
          <li>
            <Text className="muted">Nobody here.</Text>
          </li>
        )}
      </ul>
    </Panel>
  );
}

function Standing({ queue }: { queue: Queue }) {
  const query = useProgress(queue.id);
  const progress = query.data;
  if (!progress) return <Loading rows={3} />;
  const { counts, pace } = progress;
  const finished = counts.done + counts.skipped;
  const share = pace.answered > 0 ? ((pace.abandoned / pace.answered) * 100).toFixed(1) : '0';
  return (
    <div className={classes.standing}>
      <Bar.Root size="lg">
        <Bar.Section aria-label="Done" value={counts.total ? (counts.done / counts.total) * 100 : 0} />
        <Bar.Section
          aria-label="Skipped"
          value={counts.total ? (counts.skipped / counts.total) * 100 : 0}
          color="gray"
        />
      </Bar.Root>
      <Text size="xs" className="muted tabular">
        {finished.toLocaleString()} of {counts.total.toLocaleString()} finished ·{' '}
        {counts.waiting.toLocaleString()} waiting · {counts.later.toLocaleString()} later ·{' '}
        {counts.callback.toLocaleString()} callbacks
        {progress.next_at && counts.waiting === 0 && ` · the next one ${dueWords(progress.next_at)}`} ·{' '}
        <Link to={callsBehind({ queue_id: queue.id })}>Calls</Link>
      </Text>
      <Group gap={6}>
        {progress.outcomes.map((each) => (
          <ToneBadge key={each.outcome} tone={each.outcome === 'connected' ? 'good' : 'plain'}>
            {`${outcomeWords(each.outcome)} ${each.items}`}
          </ToneBadge>
        ))}
        {progress.skipped.map((each) => (
          <ToneBadge key={each.code} tone="warn">
            {`Skipped, ${words(each.code).toLowerCase()} ${each.items}`}
          </ToneBadge>
        ))}
      </Group>
      {queue.lines > 1 && (
        <Text size="xs" className="muted">
          Abandoned {share} % of {pace.answered.toLocaleString()} answered, at most {pace.cap_per_mille / 10}{' '}
          %: {pace.lines === 1 ? 'one line' : `${pace.lines} lines`} now
        </Text>
      )}
    </div>
  );
}

/** One queue: how it stands, who is in it, and the way into working it. */
export function QueuePanel({ queue, session }: { queue: Queue; session: DialSession | null }) {
  const me = useMe();
  const navigate = useNavigate();
  const run = useRunQueue();
  const join = useJoinQueue();
  const remove = useDeleteQueue();
  const [word, tone] = QUEUE_STATES[queue.state];
  const mayRun = isAtLeast(me.role, 'manager') || queue.created_by === me.user.id;
  const running = queue.state === 'running';
  const begin = async () => {
    if (!running && mayRun) await run.mutateAsync({ id: queue.id, on: true });
    await join.mutateAsync({ id: queue.id });
  };
  return (
    <>
      <Panel title={queue.name} aside={<ToneBadge tone={tone}>{word}</ToneBadge>}>
        {queue.fill.state === 'filling' && (
          <Text role="status" px="md" pt="sm" className="muted">
            Contacts are being added…
          </Text>
        )}
        {queue.fill.error && (
          <Text role="alert" px="md" pt="sm" style={{ color: 'var(--rs-bad)' }}>
            {queue.fill.error}
          </Text>
        )}
        <Standing queue={queue} />
        <Group gap="xs" px="md" pb="md">
          {!session && queue.state !== 'done' && (
            <Button
              disabled={!running && !mayRun}
              loading={join.isPending || run.isPending}
              onClick={() => attempt(begin(), 'You are not dialing yet')}
            >
              Start dialing
            </Button>
          )}
          {mayRun && queue.state !== 'done' && (
            <Button
              variant="default"
              loading={run.isPending}
              onClick={() =>
                attempt(run.mutateAsync({ id: queue.id, on: !running }), 'The queue did not change')
              }
            >
              {running ? 'Pause the queue' : 'Open for everybody'}
            </Button>
          )}
          {mayRun && !running && (
            <Button
              variant="subtle"
              color="gray"
              onClick={() =>
                attempt(remove.mutateAsync(queue.id), 'The queue could not be deleted', () =>
                  navigate('/dialer'),
                )
              }
            >
              Delete
            </Button>
          )}
          <Age updatedAt={Date.parse(queue.updated_at)} />
        </Group>
      </Panel>
      <Items id={queue.id} />
    </>
  );
}
