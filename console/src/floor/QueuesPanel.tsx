import { Progress, Text } from '@mantine/core';
import { Link } from 'react-router';
import type { Floor } from '../api/types';
import { Panel } from '../ui/Panel';
import { callsBehind } from './behind';
import classes from './Floor.module.css';

/** How far the queues have come. */
export function QueuesPanel({ queues }: { queues: Floor['queues'] }) {
  if (queues.length === 0) return null;
  return (
    <Panel title="Queues">
      <ul className={classes.queues} aria-label="Queues">
        {queues.map((queue) => (
          <li key={queue.id}>
            <div className={classes.queueHead}>
              <Link to={`/dialer/${queue.id}`} className="truncate">
                {queue.name}
              </Link>
              <Text size="xs" className="muted tabular">
                {queue.left.toLocaleString()} left · {queue.reps} {queue.reps === 1 ? 'rep' : 'reps'} ·{' '}
                <Link to={callsBehind({ queue_id: queue.id })} aria-label={`Calls of ${queue.name}`}>
                  Calls
                </Link>
              </Text>
            </div>
            <Progress
              size="sm"
              aria-label={`${queue.name}: ${queue.total - queue.left} of ${queue.total}`}
              value={queue.total ? ((queue.done + queue.skipped) / queue.total) * 100 : 0}
            />
            {queue.one_line_since && (
              <Text size="xs" style={{ color: 'var(--rs-warn)' }}>
                On one line: the share of abandoned calls came near the cap
              </Text>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
