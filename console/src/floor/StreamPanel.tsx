import { IconBroadcast } from '@tabler/icons-react';
import type { Floor } from '../api/types';
import type { LiveEvent } from '../live/events';
import { Panel } from '../ui/Panel';
import { Empty } from '../ui/States';
import { minuteOfDay, moment } from '../ui/time';
import classes from './Floor.module.css';
import { usePeopleNames } from './people';
import { saying } from './words';

/** What just happened, in plain words, newest first. */
export function StreamPanel({ floor }: { floor: Floor }) {
  const names = usePeopleNames();
  const lines = floor.recent.flatMap((event) => {
    const said = saying(event as LiveEvent, (id) => names.get(id));
    return said ? [{ ...said, id: event.id, at: event.at }] : [];
  });
  return (
    <Panel title="Happening now">
      {lines.length === 0 ? (
        <Empty icon={<IconBroadcast size={20} />} title="Quiet so far">
          Calls, notes and imports appear here the moment they happen.
        </Empty>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        <div className={classes.scroll} role="log" aria-label="What happens" aria-live="off" tabIndex={0}>
          <ol className={classes.stream}>
            {lines.map((line) => (
              <li key={line.id} className={classes.saying} data-tone={line.tone}>
                <i aria-hidden />
                <span>{line.text}</span>
                <time dateTime={line.at} title={moment(line.at)}>
                  {minuteOfDay(line.at)}
                </time>
              </li>
            ))}
          </ol>
        </div>
      )}
    </Panel>
  );
}
