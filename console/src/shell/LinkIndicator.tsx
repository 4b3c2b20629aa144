import { Button, Tooltip } from '@mantine/core';
import { useLink } from '../app/hooks';
import { link } from '../app/services';
import { farewell, type LinkStatus } from '../live/status';
import classes from './Shell.module.css';

const WORDS: Record<LinkStatus['phase'], string> = {
  off: 'Not connected',
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…',
  closed: 'Disconnected',
};

const HINTS: Record<LinkStatus['phase'], string> = {
  off: 'There is no live connection',
  connecting: 'The live connection is being made',
  live: 'Everything you see is kept up to date',
  reconnecting: 'You can go on working; what was missed comes when the connection is back',
  closed: 'The server closed the live connection',
};

/** Whether this console hears what happens. */
export function LinkIndicator() {
  const { phase } = useLink();
  return (
    <Tooltip label={HINTS[phase]}>
      <span
        className={classes.link0}
        data-phase={phase}
        role="status"
        aria-label={`Connection: ${WORDS[phase]}`}
      >
        <i />
        <span className={classes.link0Text}>{WORDS[phase]}</span>
      </span>
    </Tooltip>
  );
}

/** After the server's good-bye: why, and a way back. */
export function ByeBanner() {
  const status = useLink();
  if (status.phase !== 'closed') return null;
  const meaning = farewell(status.reason);
  if (meaning.kind !== 'ask') return null;
  return (
    <div className={classes.banner} role="alert">
      <span>{meaning.words}</span>
      <Button size="compact-sm" variant="default" flex="none" onClick={() => link.reconnect()}>
        Reconnect
      </Button>
    </div>
  );
}
