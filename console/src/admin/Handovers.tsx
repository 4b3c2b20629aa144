import { Progress, Text } from '@mantine/core';
import { Ago } from '../ui/Elapsed';
import { Panel } from '../ui/Panel';
import classes from './Admin.module.css';
import { doneWords, percent } from './handing';
import { type Handover, useHandovers } from './joining';

function Line({ handover }: { handover: Handover }) {
  const from = handover.from?.name ?? 'Somebody';
  const to = handover.to?.name ?? 'everybody';
  const at = percent(handover);
  return (
    <li className={classes.handover}>
      <div className={classes.handoverWords}>
        <Text fw={600}>
          {from} → {to}
        </Text>
        <Text size="xs" className="muted">
          {doneWords(handover) ||
            (handover.state === 'done' ? 'Nothing was left to hand over' : 'Beginning…')}
        </Text>
      </div>
      {handover.state === 'running' ? (
        <Progress value={at} w={140} aria-label={`Handover of ${from}`} animated />
      ) : (
        <Text size="xs" className="muted">
          {handover.finished_at && <Ago at={handover.finished_at} />}
        </Text>
      )}
    </li>
  );
}

/** What changes hands just now, and what did lately. */
export function Handovers() {
  const handovers = useHandovers(true).data?.data ?? [];
  if (handovers.length === 0) return null;
  return (
    <Panel title="Handovers">
      <ul className={classes.list} aria-label="Handovers">
        {handovers.slice(0, 5).map((each) => (
          <Line key={each.id} handover={each} />
        ))}
      </ul>
    </Panel>
  );
}
