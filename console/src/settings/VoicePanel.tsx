import { NumberInput, Select, Switch, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { VoiceSettings } from '../api/types';
import { useMay } from '../app/hooks';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import classes from './Settings.module.css';
import { SettingsForm } from './SettingsForm';
import { useSaveVoiceSettings, useVoiceSettings } from './voice';

const RECORDING = [
  { value: 'off', label: 'Never' },
  { value: 'ask', label: 'When the rep presses Record' },
  { value: 'always', label: 'Every call' },
];

const ANNOUNCE = [
  { value: 'by_jurisdiction', label: 'Where the law of either side asks for it' },
  { value: 'always', label: 'Always' },
  { value: 'never', label: 'Never' },
];

function Form({ known, mayEdit }: { known: VoiceSettings; mayEdit: boolean }) {
  const [draft, setDraft] = useState(known);
  const save = useSaveVoiceSettings();
  const set = (part: Partial<VoiceSettings>) => setDraft({ ...draft, ...part });
  const submit = () =>
    save.mutate(draft, { onSuccess: () => notifyDone('Saved; it holds from the next call on') });
  return (
    <SettingsForm mayEdit={mayEdit} error={save.error} saving={save.isPending} onSave={submit}>
      <div className={classes.pair}>
        <NumberInput
          label="Rings for (seconds)"
          min={15}
          max={120}
          value={draft.ring_s ?? 25}
          onChange={(value) => set({ ring_s: Number(value) || 25 })}
        />
        <NumberInput
          label="Wrap-up (seconds)"
          description="0 never ends by itself"
          min={0}
          max={3600}
          value={draft.wrap_up_s ?? 60}
          onChange={(value) => set({ wrap_up_s: Number(value) || 0 })}
        />
      </div>
      <Switch
        label="Reps see who listens to their call"
        checked={draft.show_listeners ?? true}
        onChange={(event) => set({ show_listeners: event.currentTarget.checked })}
      />
      <Switch
        label="Recognise answering machines"
        checked={draft.machine_detection ?? false}
        onChange={(event) => set({ machine_detection: event.currentTarget.checked })}
      />
      <div className={classes.pair}>
        <Select
          label="Record calls"
          allowDeselect={false}
          data={RECORDING}
          value={draft.recording ?? 'off'}
          onChange={(value) => set({ recording: (value ?? 'off') as VoiceSettings['recording'] })}
        />
        <NumberInput
          label="Keep recordings (days)"
          min={1}
          max={3650}
          value={draft.recording_keep_days ?? 90}
          onChange={(value) => set({ recording_keep_days: Number(value) || 90 })}
        />
      </div>
      <Select
        label="Announce the recording"
        allowDeselect={false}
        data={ANNOUNCE}
        value={draft.announce_recording ?? 'by_jurisdiction'}
        onChange={(value) =>
          set({ announce_recording: (value ?? 'by_jurisdiction') as VoiceSettings['announce_recording'] })
        }
      />
      <Textarea
        label="Announcement"
        autosize
        minRows={2}
        value={draft.announcement ?? ''}
        onChange={(event) => set({ announcement: event.currentTarget.value })}
      />
      <Switch
        label="Write down what is said in recorded calls"
        checked={draft.transcribe_calls ?? false}
        onChange={(event) => set({ transcribe_calls: event.currentTarget.checked })}
      />
    </SettingsForm>
  );
}

/** What the company has settled about its calls. */
export default function VoicePanel() {
  const may = useMay();
  const query = useVoiceSettings();
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return (
    <Panel title="Calls">
      {query.data && <Form key={query.dataUpdatedAt} known={query.data} mayEdit={may('settings:write')} />}
    </Panel>
  );
}
