import { Button, Checkbox, Group, Select, Switch, TagsInput, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { inWords } from '../api/errors';
import type { Sequence } from '../api/types';
import { useFacets } from '../contacts/queries';
import { notifyDone } from '../ui/notify';
import { useChangeSequence } from './queries';
import classes from './Sequences.module.css';

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

const clockOf = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

type Hours = Record<string, [number, number]>;

const GOALS = [
  { value: 'reply', label: 'They answer' },
  { value: 'meeting', label: 'They meet us' },
  { value: 'stage', label: 'They reach a stage' },
];

/** When steps may happen, what ends them, and what counts as success. */
export function RulesForm({ sequence, mayEdit }: { sequence: Sequence; mayEdit: boolean }) {
  const change = useChangeSequence(sequence.id);
  const stages = useFacets().data?.stages ?? [];
  const [name, setName] = useState(sequence.name);
  const [days, setDays] = useState<Hours>((sequence.schedule.days ?? {}) as Hours);
  const [holidays, setHolidays] = useState(sequence.schedule.holidays ?? '');
  const [zone, setZone] = useState(sequence.schedule.zone ?? 'contact');
  const [fallback, setFallback] = useState(sequence.schedule.fallback ?? 'America/New_York');
  const [stop, setStop] = useState(sequence.stop_on);
  const [goal, setGoal] = useState(sequence.goal);
  const zones = Intl.supportedValuesOf('timeZone');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { name: name.trim(), schedule: { days, holidays, zone, fallback } as never, stop_on: stop, goal },
      { onSuccess: () => notifyDone('Saved') },
    );
  };
  const setDay = (day: string, hours: [number, number] | null) => {
    const { [day]: _before, ...others } = days;
    setDays(hours ? { ...others, [day]: hours } : others);
  };
  return (
    <form onSubmit={submit}>
      <fieldset className={classes.editor} disabled={!mayEdit}>
        <TextInput
          label="Name"
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <div>
          <Text fw={550} size="sm" mb={6}>
            Hours, on the contact’s clock
          </Text>
          {DAYS.map((label, index) => {
            const day = String(index + 1);
            const hours = days[day];
            return (
              <div key={day} className={classes.hours}>
                <Checkbox
                  label={label}
                  checked={hours !== undefined}
                  onChange={(event) => setDay(day, event.currentTarget.checked ? [540, 1020] : null)}
                />
                {hours && (
                  <>
                    <TextInput
                      size="xs"
                      type="time"
                      aria-label={`${label} from`}
                      value={clockOf(hours[0])}
                      onChange={(event) => setDay(day, [minutesOf(event.currentTarget.value), hours[1]])}
                    />
                    <TextInput
                      size="xs"
                      type="time"
                      aria-label={`${label} until`}
                      value={clockOf(hours[1])}
                      onChange={(event) => setDay(day, [hours[0], minutesOf(event.currentTarget.value)])}
                    />
                  </>
                )}
              </div>
            );
          })}
        </div>
        <div className={classes.three}>
          <Select
            label="Whose time"
            searchable
            allowDeselect={false}
            data={[{ value: 'contact', label: 'Each contact’s own' }, ...zones]}
            value={zone}
            onChange={(value) => setZone(value ?? 'contact')}
          />
          <Select
            label="Where theirs is not known"
            searchable
            allowDeselect={false}
            data={zones}
            value={fallback}
            onChange={(value) => setFallback(value ?? 'America/New_York')}
          />
          <TextInput
            label="Public holidays of"
            placeholder="US, DE, …"
            maxLength={8}
            value={holidays}
            onChange={(event) => setHolidays(event.currentTarget.value.toUpperCase())}
          />
        </div>
        <Text fw={550} size="sm">
          Ends for a contact when
        </Text>
        <Switch
          label="they answer"
          checked={stop.reply ?? true}
          onChange={(event) => setStop({ ...stop, reply: event.currentTarget.checked })}
        />
        <Switch
          label="mail bounces"
          checked={stop.bounce ?? true}
          onChange={(event) => setStop({ ...stop, bounce: event.currentTarget.checked })}
        />
        <Switch label="they unsubscribe (always)" checked disabled readOnly />
        <Switch
          label="a meeting is set"
          checked={stop.meeting ?? true}
          onChange={(event) => setStop({ ...stop, meeting: event.currentTarget.checked })}
        />
        <Switch
          label="a colleague writes to or calls them"
          checked={stop.colleague_contact ?? false}
          onChange={(event) => setStop({ ...stop, colleague_contact: event.currentTarget.checked })}
        />
        <TagsInput
          label="they reach one of these stages"
          data={stages}
          value={stop.stage ?? []}
          onChange={(stage) => setStop({ ...stop, stage })}
        />
        <Group grow align="end">
          <Select
            label="Counts as success when"
            placeholder="Nothing"
            clearable
            data={GOALS}
            value={goal?.kind ?? null}
            onChange={(kind) =>
              setGoal(
                kind
                  ? { kind: kind as 'reply', stage: kind === 'stage' ? (stages[0] ?? 'won') : null }
                  : null,
              )
            }
          />
          {goal?.kind === 'stage' && (
            <TextInput
              label="Stage"
              value={goal.stage ?? ''}
              onChange={(event) => setGoal({ ...goal, stage: event.currentTarget.value })}
            />
          )}
        </Group>
        {change.error && (
          <Text c="red" role="alert">
            {inWords(change.error)}
          </Text>
        )}
        {mayEdit && (
          <Button type="submit" style={{ justifySelf: 'end' }} loading={change.isPending}>
            Save
          </Button>
        )}
      </fieldset>
    </form>
  );
}
