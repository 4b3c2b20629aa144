import { Button, Text } from '@mantine/core';
import { IconPlus, IconStackFront } from '@tabler/icons-react';
import { useState } from 'react';
import { NavLink, useParams } from 'react-router';
import type { Queue } from '../api/types';
import { May } from '../app/May';
import { ToneBadge } from '../calls/StateBadge';
import { Age } from '../ui/Age';
import { Page } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import classes from './Dialer.module.css';
import { NewQueue } from './NewQueue';
import { QueuePanel } from './QueuePanel';
import { useDialSession, useQueues } from './queries';
import { SessionPanel } from './SessionPanel';
import { QUEUE_STATES } from './words';

function QueueLink({ queue }: { queue: Queue }) {
  const [word, tone] = QUEUE_STATES[queue.state];
  const { counts } = queue;
  return (
    <NavLink to={`/dialer/${queue.id}`} className={classes.queue}>
      <span className={classes.queueName}>{queue.name}</span>
      <ToneBadge tone={tone}>{word}</ToneBadge>
      <Text component="span" size="xs" className="muted tabular">
        {(counts.done + counts.skipped).toLocaleString()} of {counts.total.toLocaleString()}
      </Text>
    </NavLink>
  );
}

/** Queues to dial through, and one's own session. */
export default function DialerPage() {
  const { id } = useParams();
  const query = useQueues();
  const session = useDialSession().data ?? null;
  const [creating, setCreating] = useState(false);
  const queues = query.data?.data ?? [];
  const open = queues.find((queue) => queue.id === (id ?? session?.queue.id));
  return (
    <Page
      title="Dialer"
      beside={<Age updatedAt={query.dataUpdatedAt} />}
      actions={
        <May do="queues:write">
          <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
            New queue
          </Button>
        </May>
      }
    >
      {query.isPending && <Loading />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && queues.length === 0 && (
        <Empty
          icon={<IconStackFront size={20} />}
          title="No queues yet"
          action={
            <May do="queues:write">
              <Button onClick={() => setCreating(true)}>Make the first one</Button>
            </May>
          }
        >
          A queue takes you through a list of contacts: the next one is prepared while you write up the last.
        </Empty>
      )}
      {queues.length > 0 && (
        <div className={classes.split}>
          <nav className={classes.queues} aria-label="Queues">
            {queues.map((queue) => (
              <QueueLink key={queue.id} queue={queue} />
            ))}
          </nav>
          <div className={classes.body}>
            {session && <SessionPanel session={session} />}
            {open ? (
              <QueuePanel key={open.id} queue={open} session={session} />
            ) : (
              !session && <Text className="muted">Choose a queue.</Text>
            )}
          </div>
        </div>
      )}
      {creating && <NewQueue onClose={() => setCreating(false)} />}
    </Page>
  );
}
