import { Button, Checkbox, Group, NumberInput, Select, Switch, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { inWords } from '../api/errors';
import type { PermitSettings } from '../api/types';
import { useMay } from '../app/hooks';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import {
  usePermitSettings,
  useQuietDays,
  useRules,
  useSavePermitSettings,
  useSaveQuietDays,
} from './compliance';
import { DecisionsPanel } from './DecisionsPanel';
import classes from './Settings.module.css';
import { SettingsForm } from './SettingsForm';
import { SuppressionsPanel } from './SuppressionsPanel';

const DAYS = [
  { value: '1', label: 'Mon' },
  { value: '2', label: 'Tue' },
  { value: '3', label: 'Wed' },
  { value: '4', label: 'Thu' },
  { value: '5', label: 'Fri' },
  { value: '6', label: 'Sat' },
  { value: '7', label: 'Sun' },
];

/** Every half hour of the day, as minutes after midnight. */
const TIMES = Array.from({ length: 49 }, (_, index) => index * 30).map((minutes) => ({
  value: String(minutes),
  label: `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`,
}));

function Time({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number;
  onChange: (value: number) => void;
}) {
  const known = TIMES.some((each) => each.value === String(value));
  const data = known ? TIMES : [...TIMES, { value: String(value), label: `${value} min after midnight` }];
  return (
    <Select
      label={label}
      allowDeselect={false}
      data={data}
      value={String(value)}
      onChange={(next) => onChange(Number(next))}
    />
  );
}

function OwnRules({ known, mayEdit }: { known: PermitSettings; mayEdit: boolean }) {
  const [draft, setDraft] = useState(known);
  const save = useSavePermitSettings();
  const set = (part: Partial<PermitSettings>) => setDraft({ ...draft, ...part });
  const submit = () =>
    save.mutate(draft, { onSuccess: () => notifyDone('The rules are saved and hold from now on') });
  const cap = (value: string | number) => (value === '' ? null : Number(value));
  return (
    <SettingsForm mayEdit={mayEdit} error={save.error} saving={save.isPending} onSave={submit}>
      {draft.practice && (
        <div className={classes.notice} role="note">
          <Text fw={600}>This company practises</Text>
          Hours, quiet days and caps are worked out and shown, but refuse nothing. Switch it off before you
          call real people.
        </div>
      )}
      <div className={classes.pair}>
        <Time
          label="Call from"
          value={draft.hours_start ?? 480}
          onChange={(value) => set({ hours_start: value })}
        />
        <Time label="Until" value={draft.hours_end ?? 1260} onChange={(value) => set({ hours_end: value })} />
      </div>
      <Checkbox.Group
        label="On these days"
        description="By the clock where the contact is. The law may be narrower; the narrower one holds."
        value={(draft.days ?? []).map(String)}
        onChange={(days) => set({ days: days.map(Number).sort() as PermitSettings['days'] })}
      >
        <Group gap="sm" mt={6}>
          {DAYS.map((day) => (
            <Checkbox key={day.value} value={day.value} label={day.label} />
          ))}
        </Group>
      </Checkbox.Group>
      <div className={classes.pair}>
        <NumberInput
          label="Calls to one contact a day"
          placeholder="No limit"
          min={1}
          max={100}
          value={draft.calls_per_contact_per_day ?? ''}
          onChange={(value) => set({ calls_per_contact_per_day: cap(value) })}
        />
        <NumberInput
          label="A week"
          placeholder="No limit"
          min={1}
          max={500}
          value={draft.calls_per_contact_per_week ?? ''}
          onChange={(value) => set({ calls_per_contact_per_week: cap(value) })}
        />
      </div>
      <div className={classes.pair}>
        <Time
          label="Other countries, from"
          value={draft.abroad_start ?? 540}
          onChange={(value) => set({ abroad_start: value })}
        />
        <Time
          label="Until"
          value={draft.abroad_end ?? 1200}
          onChange={(value) => set({ abroad_end: value })}
        />
      </div>
      <Switch
        label="Only contacts who have agreed"
        checked={draft.require_consent ?? false}
        onChange={(event) => set({ require_consent: event.currentTarget.checked })}
      />
      <Switch
        label="Practice: nobody real is called"
        checked={draft.practice ?? false}
        onChange={(event) => set({ practice: event.currentTarget.checked })}
      />
    </SettingsForm>
  );
}

function QuietDays({ mayEdit }: { mayEdit: boolean }) {
  const query = useQuietDays();
  const save = useSaveQuietDays();
  const [day, setDay] = useState('');
  const [name, setName] = useState('');
  const days = query.data?.data ?? [];
  const add = (event: FormEvent) => {
    event.preventDefault();
    save.mutate([...days.filter((each) => each.day !== day), { day, name: name.trim() }], {
      onSuccess: () => {
        setDay('');
        setName('');
      },
    });
  };
  return (
    <Panel title="Quiet days">
      {query.isPending && <Loading rows={3} />}
      <ul className={classes.rows} aria-label="Quiet days">
        {days.map((each) => (
          <li key={each.day} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={600}>{each.name || 'Quiet day'}</Text>
              <Text size="xs" className="muted">
                {each.day}
              </Text>
            </div>
            {mayEdit && (
              <Button
                size="compact-sm"
                variant="subtle"
                color="gray"
                onClick={() => save.mutate(days.filter((other) => other.day !== each.day))}
              >
                Remove
              </Button>
            )}
          </li>
        ))}
        {query.isSuccess && days.length === 0 && (
          <li className={classes.row}>
            <Text className="muted">No days beyond the holidays that the law names.</Text>
          </li>
        )}
      </ul>
      {mayEdit && (
        <form className={classes.form} onSubmit={add}>
          <div className={classes.pair}>
            <TextInput
              type="date"
              label="Day"
              required
              value={day}
              onChange={(event) => setDay(event.currentTarget.value)}
            />
            <TextInput
              label="Name"
              placeholder="Company holiday"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Button type="submit" variant="default" disabled={!day} loading={save.isPending}>
              Add
            </Button>
          </div>
          {save.error && (
            <Text c="red" role="alert">
              {inWords(save.error)}
            </Text>
          )}
        </form>
      )}
    </Panel>
  );
}

function LawPanel() {
  const rules = useRules().data;
  if (!rules) return null;
  return (
    <Panel
      title="The law, as data"
      aside={
        <Text size="xs" className="muted">
          version {rules.version}
        </Text>
      }
    >
      <ul className={classes.rows} aria-label="Rules">
        {rules.data.map((rule) => (
          <li key={rule.id} className={classes.row}>
            <div className={classes.grow}>
              <Text>{rule.title}</Text>
              <Text size="xs" className="muted">
                {rule.jurisdiction} · {rule.source}
              </Text>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Whom the company may reach, when, and how often; and what was decided. */
export default function CompliancePanel() {
  const may = useMay();
  const query = usePermitSettings();
  const mayEdit = may('settings:write');
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return (
    <>
      <Panel title="Our own rules">
        {query.data && <OwnRules key={query.dataUpdatedAt} known={query.data} mayEdit={mayEdit} />}
      </Panel>
      <SuppressionsPanel mayEdit={may('suppressions:delete')} />
      <QuietDays mayEdit={mayEdit} />
      <DecisionsPanel />
      <LawPanel />
    </>
  );
}
