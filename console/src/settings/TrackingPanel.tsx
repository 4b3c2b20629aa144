import { Button, Switch, TagsInput, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { inWords } from '../api/errors';
import type { TrackingSettings } from '../api/types';
import { isAtLeast, useMe } from '../app/hooks';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { useSaveTracking, useTracking, useTrackingRules } from './mail';
import classes from './Settings.module.css';

const onOff = (on: boolean) => (on ? 'on' : 'off');

function Form({ known, mayEdit }: { known: TrackingSettings; mayEdit: boolean }) {
  const [draft, setDraft] = useState(known);
  const save = useSaveTracking();
  const set = (change: Partial<TrackingSettings>) => setDraft({ ...draft, ...change });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(draft);
  };
  return (
    <form onSubmit={submit}>
      <fieldset className={classes.form} disabled={!mayEdit} style={{ border: 0, margin: 0 }}>
        <Switch
          label="Look for opened mail"
          description="By a small picture. What machines fetch does not count."
          checked={draft.opens === 'on'}
          onChange={(event) => set({ opens: onOff(event.currentTarget.checked) })}
        />
        <Switch
          label="Look for clicked links"
          description="Links lead through this server to where they were written to lead."
          checked={draft.clicks === 'on'}
          onChange={(event) => set({ clicks: onOff(event.currentTarget.checked) })}
        />
        <TagsInput
          label="Never in these regions"
          description="EU, EEA or the two letters of a country, by the contact’s number and address."
          value={draft.off_regions ?? []}
          onChange={(off_regions) => set({ off_regions: off_regions.map((each) => each.toUpperCase()) })}
        />
        <Switch
          label="Also where the region is not known"
          checked={draft.unknown_region === 'on'}
          onChange={(event) => set({ unknown_region: onOff(event.currentTarget.checked) })}
        />
        <TextInput
          label="Domain of the links"
          description="A name of your own that points at this server; empty means the server’s address."
          placeholder="links.example.com"
          value={draft.domain ?? ''}
          onChange={(event) => set({ domain: event.currentTarget.value })}
        />
        {save.error && (
          <Text c="red" role="alert">
            {inWords(save.error)}
          </Text>
        )}
        {mayEdit && (
          <Button type="submit" style={{ alignSelf: 'flex-end' }} loading={save.isPending}>
            Save
          </Button>
        )}
      </fieldset>
    </form>
  );
}

/** What does not count as opened or clicked, rule by rule. */
function Rules() {
  const query = useTrackingRules();
  return (
    <Panel title="What is taken for a machine’s">
      {query.isPending && <Loading rows={4} />}
      {query.isError && <Failure error={query.error} onRetry={() => query.refetch()} />}
      <ul className={classes.rows} aria-label="Rules">
        {query.data?.data.map((rule) => (
          <li key={rule.id} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={550}>{rule.title}</Text>
              <Text size="xs" className="muted">
                {rule.source}
              </Text>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Whether opens and clicks are looked for, where not, and what is left out. */
export default function TrackingPanel() {
  const { role } = useMe();
  const query = useTracking();
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return (
    <>
      <Panel title="Opens and clicks">
        {query.data && (
          <Form key={query.dataUpdatedAt} known={query.data} mayEdit={isAtLeast(role, 'admin')} />
        )}
      </Panel>
      <Rules />
    </>
  );
}
