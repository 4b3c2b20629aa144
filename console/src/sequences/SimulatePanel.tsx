import { Button, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { inWords } from '../api/errors';
import type { Sequence, Simulation } from '../api/types';
import { Panel } from '../ui/Panel';
import { type Choice, Chooser } from './Chooser';
import { useEnrol, useSimulate } from './queries';
import classes from './Sequences.module.css';
import { KINDS } from './words';

const DAY = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});

function Days({ days }: { days: Simulation['per_day'] }) {
  const most = Math.max(1, ...days.map((each) => each.sends));
  return (
    <ol className={classes.days} aria-label="Mails a day">
      {days.map((each) => (
        <li key={each.day} title={`${each.sends} mails`}>
          <span className={classes.bar} style={{ height: `${(each.sends / most) * 100}%` }} aria-hidden />
          <span className={classes.day}>
            <span className="visually-hidden">{each.sends} mails on </span>
            {DAY.format(new Date(`${each.day}T00:00:00Z`))}
          </span>
          <strong className="tabular">{each.sends}</strong>
        </li>
      ))}
    </ol>
  );
}

function Played({ simulation }: { simulation: Simulation }) {
  const [all, setAll] = useState(false);
  const shown = all ? simulation.sends : simulation.sends.slice(0, 50);
  return (
    <>
      <Text role="status">
        {simulation.steps_total.toLocaleString()} steps, if nobody answers
        {simulation.refused.length > 0 && `; ${simulation.refused.length} contacts would not be taken`}.
      </Text>
      {simulation.per_day.length > 0 && <Days days={simulation.per_day} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <div className={classes.scroll} role="group" aria-label="What would happen" tabIndex={0}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Contact</th>
              <th scope="col">Step</th>
              <th scope="col">Their time</th>
              <th scope="col">Why not sooner</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((each) => (
              <tr key={`${each.contact.id} ${each.step}`}>
                <td>{each.contact.name}</td>
                <td>
                  {each.step}. {KINDS[each.kind]}
                  {each.variant && ` ${each.variant}`}
                </td>
                <td className="tabular">
                  {each.local_time} <span className="muted">{each.zone}</span>
                </td>
                <td className="muted">{each.delays.join(' ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!all && simulation.sends.length > shown.length && (
        <Button variant="subtle" onClick={() => setAll(true)}>
          Show all {simulation.sends.length.toLocaleString()}
        </Button>
      )}
      {simulation.refused.length > 0 && (
        <ul className={classes.refused} aria-label="Not taken">
          {simulation.refused.slice(0, 100).map((each) => (
            <li key={each.contact.id}>
              {each.contact.name} <span className="muted">{each.why}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Nothing was chosen: that is everybody, which may not be what was meant. */
function EveryContact({ onClose, onGo }: { onClose: () => void; onGo: () => void }) {
  return (
    <Modal opened onClose={onClose} title="Enrol every contact?">
      <Stack gap="md">
        <Text>
          Nothing is searched for or chosen, so this takes every contact that you see, and mail to them goes
          out at the next hours that are allowed. Play it first to see what that is.
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" color="gray" data-autofocus onClick={onClose}>
            Cancel
          </Button>
          <Button color="red" onClick={onGo}>
            Enrol every contact
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** The days ahead for some contacts, before anything goes out; then, if one wants, in earnest. */
export function SimulatePanel({ sequence }: { sequence: Sequence }) {
  const simulate = useSimulate(sequence.id);
  const enrol = useEnrol();
  const [choice, setChoice] = useState<Choice>({ filter: {}, mailboxId: null });
  const [days, setDays] = useState(30);
  const [asking, setAsking] = useState(false);
  const given = { filter: choice.filter, mailbox_id: choice.mailboxId };
  const isEverybody = !Object.values(choice.filter).some(Boolean);
  const start = () => {
    setAsking(false);
    enrol.mutate({ id: sequence.id, ...given });
  };
  const play = (event: FormEvent) => {
    event.preventDefault();
    enrol.reset();
    simulate.mutate({ ...given, days });
  };
  const failed = simulate.error ?? enrol.error;
  return (
    <>
      <Panel title="Whom">
        <form onSubmit={play} className={classes.editor}>
          <Chooser value={choice} onChange={setChoice} />
          <NumberInput
            label="Days ahead"
            min={1}
            max={90}
            value={days}
            onChange={(value) => setDays(Number(value) || 30)}
          />
          {failed && (
            <Text c="red" role="alert">
              {inWords(failed)}
            </Text>
          )}
          {enrol.data && (
            <Text role="status">
              {enrol.data.enrolled.toLocaleString()} enrolled
              {enrol.data.more && ', and more are being added'}
              {enrol.data.refused_total > 0 && `; ${enrol.data.refused_total.toLocaleString()} not taken`}.
            </Text>
          )}
          <Group justify="flex-end" gap="xs">
            <Button type="submit" variant="default" loading={simulate.isPending}>
              Play it
            </Button>
            <Button
              loading={enrol.isPending}
              disabled={
                sequence.state !== 'active' && sequence.state !== 'draft' && sequence.state !== 'paused'
              }
              onClick={isEverybody ? () => setAsking(true) : start}
            >
              {isEverybody ? 'Enrol everybody…' : 'Enrol them'}
            </Button>
          </Group>
        </form>
      </Panel>
      {asking && <EveryContact onClose={() => setAsking(false)} onGo={start} />}
      {simulate.data && (
        <Panel title="What would go out when">
          <div className={classes.editor}>
            <Played simulation={simulate.data} />
          </div>
        </Panel>
      )}
    </>
  );
}
