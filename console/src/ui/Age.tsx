import { useLink } from '../app/hooks';
import classes from './Age.module.css';
import { span, useSecond } from './time';

type Props = {
  /** When the data was last read or changed, in ms. */
  updatedAt: number;
  /** Data without events is never live, only recent. */
  polled?: boolean;
};

/** How old what is shown is: live, as of some seconds ago, or from before a break. */
export function Age({ updatedAt, polled = false }: Props) {
  useSecond();
  const link = useLink();
  if (!updatedAt) return null;
  if (link.phase === 'live' && !polled) {
    return (
      <span className={classes.age} data-state="live">
        <span className={classes.dot} />
        Live
      </span>
    );
  }
  const aliveAt = polled ? 0 : (link.aliveAt ?? 0);
  const seconds = (Date.now() - Math.max(updatedAt, aliveAt)) / 1000;
  if (!polled && (link.phase === 'reconnecting' || link.phase === 'closed')) {
    return (
      <span className={`${classes.age} tabular`} data-state="late">
        <span className={classes.dot} />
        {link.phase === 'closed' ? 'Disconnected: ' : 'Reconnecting… '}
        data from {span(seconds)} ago
      </span>
    );
  }
  return (
    <span className={`${classes.age} tabular`} data-state="polled">
      <span className={classes.dot} />
      as of {span(seconds)} ago
    </span>
  );
}
