import { NumberInput } from '@mantine/core';
import { useState } from 'react';
import type { Retention } from '../api/types';
import { useMay } from '../app/hooks';
import classes from '../settings/Settings.module.css';
import { SettingsForm } from '../settings/SettingsForm';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { useRetention, useSaveRetention } from './queries';

type Days = Omit<Retention, 'updated_at'>;

const KINDS: { name: keyof Days; label: string; hint: string; least: number }[] = [
  { name: 'mail_days', label: 'Mail', hint: 'Conversations, after their last message', least: 30 },
  { name: 'messages_days', label: 'Text messages', hint: 'Those that came and those that went', least: 30 },
  { name: 'recordings_days', label: 'Recordings', hint: 'The sound and what was said', least: 1 },
  { name: 'calls_days', label: 'Calls', hint: 'Once their recording is gone', least: 30 },
  {
    name: 'events_days',
    label: 'Event log',
    hint: 'For consoles that were away; two weeks at most',
    least: 7,
  },
  { name: 'audit_days', label: 'Audit log', hint: 'Who did what', least: 30 },
];

function Form({ known }: { known: Retention }) {
  const mayEdit = useMay()('privacy:erase');
  const [draft, setDraft] = useState<Days>(known);
  const saving = useSaveRetention();
  const submit = () => {
    const body = Object.fromEntries(KINDS.map(({ name }) => [name, draft[name]]));
    saving.mutate(body, { onSuccess: () => notifyDone('Saved; it holds from tonight on') });
  };
  return (
    <SettingsForm mayEdit={mayEdit} error={saving.error} saving={saving.isPending} onSave={submit}>
      <div className={classes.pair}>
        {KINDS.map(({ name, label, hint, least }) => (
          <NumberInput
            key={name}
            label={label}
            description={hint}
            placeholder="For good"
            suffix=" days"
            min={least}
            max={36500}
            allowDecimal={false}
            value={draft[name] ?? ''}
            onChange={(value) => setDraft({ ...draft, [name]: value === '' ? null : Number(value) })}
          />
        ))}
      </div>
    </SettingsForm>
  );
}

/** How long what is kept. */
export function RetentionForm() {
  const query = useRetention();
  return (
    <Panel title="How long things are kept">
      {query.isPending && <Loading rows={3} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.data && <Form key={query.dataUpdatedAt} known={query.data} />}
    </Panel>
  );
}
