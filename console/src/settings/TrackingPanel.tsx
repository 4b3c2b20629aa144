import { Switch, TagsInput, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { TrackingSettings } from '../api/types';
import { useMay } from '../app/hooks';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { LinkDomain } from './LinkDomain';
import { useSaveTracking, useTracking, useTrackingRules } from './mail';
import classes from './Settings.module.css';
import { SettingsForm } from './SettingsForm';

const onOff = (on: boolean) => (on ? 'on' : 'off');

function Form({ known, mayEdit }: { known: TrackingSettings; mayEdit: boolean }) {
  const [draft, setDraft] = useState(known);
  const save = useSaveTracking();
  const set = (change: Partial<TrackingSettings>) => setDraft({ ...draft, ...change });
  return (
    <SettingsForm
      mayEdit={mayEdit}
      error={save.error}
      saving={save.isPending}
      onSave={() => save.mutate(draft)}
    >
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
        description="A name of your own that points at this server; empty means the server’s own address."
        placeholder="links.example.com"
        value={draft.domain ?? ''}
        onChange={(event) => set({ domain: event.currentTarget.value })}
      />
    </SettingsForm>
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
  const may = useMay();
  const mayEdit = may('settings:write');
  const query = useTracking();
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return (
    <>
      <Panel title="Opens and clicks">
        {/* By what they say: that the domain was looked at takes nothing away that is being typed. */}
        {query.data && <Form key={JSON.stringify(query.data)} known={query.data} mayEdit={mayEdit} />}
      </Panel>
      <LinkDomain mayCheck={mayEdit} />
      <Rules />
    </>
  );
}
