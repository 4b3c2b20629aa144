import { Button, NumberInput, Switch } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { AlertRules } from '../api/types';
import { api, dispatcher, queryClient } from '../app/services';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import classes from './Settings.module.css';

type RuleProps = {
  label: string;
  unit: string;
  on: boolean;
  value: number;
  min: number;
  max: number;
  onSwitch: (on: boolean) => void;
  onValue: (value: number) => void;
};

function Rule({ label, unit, on, value, min, max, onSwitch, onValue }: RuleProps) {
  return (
    <div className={classes.pair}>
      <Switch mb={9} label={label} checked={on} onChange={(event) => onSwitch(event.currentTarget.checked)} />
      <NumberInput
        label={unit}
        min={min}
        max={max}
        disabled={!on}
        value={value}
        onChange={(next) => onValue(Math.min(max, Math.max(min, Number(next) || min)))}
      />
    </div>
  );
}

function Form({ known }: { known: AlertRules }) {
  const [rules, setRules] = useState(known);
  const save = useMutation({
    mutationFn: (body: AlertRules) => unwrap(api.PUT('/api/v1/floor/alerts', { body })),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: keys.alertRules() }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(rules, { onSuccess: () => notifyDone('You are warned by these rules from now on') });
  };
  const { rep_idle, queue_empty, abandonment } = rules;
  return (
    <form className={classes.form} onSubmit={submit}>
      <Rule
        label="A rep is idle"
        unit="For so many minutes"
        min={1}
        max={480}
        on={rep_idle.on}
        value={rep_idle.minutes}
        onSwitch={(on) => setRules({ ...rules, rep_idle: { ...rep_idle, on } })}
        onValue={(minutes) => setRules({ ...rules, rep_idle: { ...rep_idle, minutes } })}
      />
      <Rule
        label="A running queue is empty"
        unit="With so many contacts left"
        min={0}
        max={1000}
        on={queue_empty.on}
        value={queue_empty.contacts_left}
        onSwitch={(on) => setRules({ ...rules, queue_empty: { ...queue_empty, on } })}
        onValue={(contacts_left) => setRules({ ...rules, queue_empty: { ...queue_empty, contacts_left } })}
      />
      <Rule
        label="Abandoned calls near their cap"
        unit="At so many percent of it"
        min={10}
        max={100}
        on={abandonment.on}
        value={abandonment.percent_of_cap}
        onSwitch={(on) => setRules({ ...rules, abandonment: { ...abandonment, on } })}
        onValue={(percent_of_cap) => setRules({ ...rules, abandonment: { ...abandonment, percent_of_cap } })}
      />
      <Switch
        label="Also as a notification"
        checked={rules.notify}
        onChange={(event) => setRules({ ...rules, notify: event.currentTarget.checked })}
      />
      <FormFoot error={save.error}>
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
      </FormFoot>
    </form>
  );
}

/** What managers are warned of. */
export default function AlertsPanel() {
  const query = useQuery({
    queryKey: keys.alertRules(),
    queryFn: dispatcher.current(async ({ signal }) => {
      const page = await unwrap(api.GET('/api/v1/floor/alerts', { params: { query: { limit: 1 } }, signal }));
      return page.rules;
    }),
  });
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return <Panel title="Alerts">{query.data && <Form key={query.dataUpdatedAt} known={query.data} />}</Panel>;
}
