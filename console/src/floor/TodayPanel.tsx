import { Text } from '@mantine/core';
import { Link } from 'react-router';
import type { Floor } from '../api/types';
import { outcomeWords } from '../calls/states';
import { Panel } from '../ui/Panel';
import { span } from '../ui/time';
import { callsBehind } from './behind';
import { begunElsewhere } from './day';
import classes from './Floor.module.css';

const COLORS: [string, string][] = [
  ['connected', 'var(--rs-good)'],
  ['voicemail', 'var(--mantine-color-petrol-5)'],
  ['no_answer', 'var(--mantine-color-gray-5)'],
  ['busy', 'var(--rs-warn)'],
  ['canceled', 'var(--mantine-color-gray-4)'],
  ['failed', 'var(--rs-bad)'],
  ['abandoned', 'var(--mantine-color-red-4)'],
];

function Figure({ label, value, to }: { label: string; value: string; to?: string }) {
  return (
    <dl className={classes.figure}>
      <dt>{label}</dt>
      <dd>{to ? <Link to={to}>{value}</Link> : value}</dd>
    </dl>
  );
}

function Outcomes({ counts, since }: { counts: Record<string, number>; since: string }) {
  const shown = COLORS.map(([outcome, color]) => ({ outcome, color, count: counts[outcome] ?? 0 })).filter(
    (each) => each.count > 0,
  );
  return (
    <div className={classes.outcomes}>
      <div className={classes.bar} aria-hidden>
        {shown.map((each) => (
          <i key={each.outcome} style={{ flexGrow: each.count, background: each.color }} />
        ))}
      </div>
      <ul className={classes.legend} aria-label="Outcomes today">
        {shown.map((each) => (
          <li key={each.outcome}>
            <i style={{ background: each.color }} />
            <Link to={callsBehind({ since, outcome: each.outcome })}>
              {outcomeWords(each.outcome)} <strong className="tabular">{each.count}</strong>
            </Link>
          </li>
        ))}
        {shown.length === 0 && <li className="muted">No call has ended yet today</li>}
      </ul>
    </div>
  );
}

/** The day so far. */
export function TodayPanel({ today }: { today: Floor['today'] }) {
  const begun = begunElsewhere(today.since);
  const ended = Object.values(today.by_outcome).reduce((sum, count) => sum + count, 0);
  const rate = ended > 0 ? `${Math.round((today.connected / ended) * 100)} %` : '–';
  return (
    <Panel title="Today" aside={begun && <Text className={classes.begun}>{begun}</Text>}>
      <div className={classes.figures}>
        <Figure label="Calls" value={today.calls.toLocaleString()} to={callsBehind({ since: today.since })} />
        <Figure
          label="Connected"
          value={today.connected.toLocaleString()}
          to={callsBehind({ since: today.since, connected: 'true' })}
        />
        <Figure label="Connect rate" value={rate} />
        <Figure label="Talk time" value={span(today.talk_s)} />
        <Outcomes counts={today.by_outcome} since={today.since} />
      </div>
    </Panel>
  );
}
