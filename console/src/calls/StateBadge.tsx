import type { Call } from '../api/types';
import classes from './StateBadge.module.css';
import { stateTone, stateWords, type Tone } from './states';

export function ToneBadge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className={classes.badge} data-tone={tone}>
      {children}
    </span>
  );
}

export function StateBadge({ call }: { call: Call }) {
  return <ToneBadge tone={stateTone(call)}>{stateWords(call)}</ToneBadge>;
}
