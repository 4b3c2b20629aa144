import { Button, Checkbox, Group, Modal, NumberInput, Select, Text, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { inWords } from '../api/errors';
import type { Disposition } from '../api/types';
import { useMay } from '../app/hooks';
import { Age } from '../ui/Age';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { span } from '../ui/time';
import { useAllDispositions, useChangeDisposition, useCreateDisposition } from './queries';
import classes from './Settings.module.css';

const FOLLOW_UPS: { value: Disposition['follow_up']; label: string }[] = [
  { value: 'none', label: 'Nothing' },
  { value: 'callback', label: 'A task to call back' },
  { value: 'do_not_call', label: 'The number is never called again' },
  { value: 'stage', label: 'The contact changes its stage' },
];

function consequence(each: Disposition): string {
  const parts: string[] = [];
  if (each.follow_up === 'callback') parts.push('adds a task to call back');
  if (each.follow_up === 'do_not_call') parts.push('puts the number on the do-not-call list');
  if (each.follow_up === 'stage') parts.push(`moves the contact to ${each.stage}`);
  if (each.retry_after_s && each.retry_limit) {
    parts.push(`the dialer tries again after ${span(each.retry_after_s)}, ${each.retry_limit} times at most`);
  }
  if (each.counts_as_connected) parts.push('counts as connected');
  return parts.join('; ') || 'nothing follows';
}

type Draft = {
  label: string;
  key: string;
  follow_up: Disposition['follow_up'];
  stage: string;
  counts_as_connected: boolean;
  retry_min: number | '';
  retry_limit: number | '';
};

const BLANK: Draft = {
  label: '',
  key: '',
  follow_up: 'none',
  stage: '',
  counts_as_connected: false,
  retry_min: '',
  retry_limit: '',
};

function draftOf(each: Disposition): Draft {
  return {
    label: each.label,
    key: each.key ?? '',
    follow_up: each.follow_up,
    stage: each.stage ?? '',
    counts_as_connected: each.counts_as_connected,
    retry_min: each.retry_after_s ? Math.round(each.retry_after_s / 60) : '',
    retry_limit: each.retry_limit ?? '',
  };
}

function Editor({ known, onClose }: { known: Disposition | null; onClose: () => void }) {
  const [draft, setDraft] = useState<Draft>(known ? draftOf(known) : BLANK);
  const create = useCreateDisposition();
  const change = useChangeDisposition();
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const error = create.error ?? change.error;
  const retries = draft.retry_min !== '' && draft.retry_limit !== '';
  const body = {
    label: draft.label.trim(),
    key: draft.key.trim() || null,
    follow_up: draft.follow_up,
    stage: draft.follow_up === 'stage' ? draft.stage.trim() || null : null,
    counts_as_connected: draft.counts_as_connected,
    retry_after_s: retries ? Number(draft.retry_min) * 60 : null,
    retry_limit: retries ? Number(draft.retry_limit) : null,
  };
  const save = () =>
    known
      ? change.mutate({ value: known.value, ...body }, { onSuccess: onClose })
      : create.mutate(body, { onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={known ? `Change ${known.label}` : 'New disposition'}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
        style={{ display: 'grid', gap: 14 }}
      >
        <Group grow align="end">
          <TextInput
            label="Label"
            required
            data-autofocus
            value={draft.label}
            onChange={(event) => set({ label: event.currentTarget.value })}
          />
          <TextInput
            label="Key"
            description="One letter or digit"
            maxLength={1}
            value={draft.key}
            onChange={(event) => set({ key: event.currentTarget.value })}
          />
        </Group>
        <Select
          label="What follows"
          allowDeselect={false}
          data={FOLLOW_UPS}
          value={draft.follow_up}
          onChange={(value) => set({ follow_up: (value ?? 'none') as Draft['follow_up'] })}
        />
        {draft.follow_up === 'stage' && (
          <TextInput
            label="New stage"
            required
            value={draft.stage}
            onChange={(event) => set({ stage: event.currentTarget.value })}
          />
        )}
        <Group grow align="end">
          <NumberInput
            label="Dial again after (minutes)"
            min={1}
            placeholder="Not at all"
            value={draft.retry_min}
            onChange={(value) => set({ retry_min: value === '' ? '' : Number(value) })}
          />
          <NumberInput
            label="At most (times)"
            min={1}
            max={20}
            value={draft.retry_limit}
            onChange={(value) => set({ retry_limit: value === '' ? '' : Number(value) })}
          />
        </Group>
        <Checkbox
          label="Counts as connected"
          checked={draft.counts_as_connected}
          onChange={(event) => set({ counts_as_connected: event.currentTarget.checked })}
        />
        {error && (
          <Text c="red" role="alert">
            {inWords(error)}
          </Text>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" color="gray" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending || change.isPending}>
            Save
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

/** How calls can go, in this company's words. */
export default function DispositionsPanel() {
  const may = useMay();
  const query = useAllDispositions();
  const change = useChangeDisposition();
  const [editing, setEditing] = useState<Disposition | 'new' | null>(null);
  const mayEdit = may('settings:write');
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return (
    <Panel
      title="Dispositions"
      aside={
        mayEdit ? (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => setEditing('new')}
          >
            New disposition
          </Button>
        ) : (
          <Age updatedAt={query.dataUpdatedAt} />
        )
      }
    >
      <ul className={classes.rows} aria-label="Dispositions">
        {query.data?.data.map((each) => (
          <li key={each.value} className={classes.row}>
            <kbd className={classes.key}>{each.key?.toUpperCase() ?? '–'}</kbd>
            <div className={classes.grow}>
              <Text fw={600} className={each.archived_at ? 'muted' : undefined}>
                {each.label}
                {each.archived_at && ' (archived)'}
              </Text>
              <Text size="xs" className="muted">
                {consequence(each)}
              </Text>
            </div>
            {mayEdit && (
              <Group gap={4} wrap="nowrap">
                <Button size="compact-sm" variant="subtle" onClick={() => setEditing(each)}>
                  Change
                </Button>
                <Button
                  size="compact-sm"
                  variant="subtle"
                  color="gray"
                  onClick={() =>
                    attempt(
                      change.mutateAsync({ value: each.value, archived: !each.archived_at }),
                      `${each.label} could not be changed`,
                    )
                  }
                >
                  {each.archived_at ? 'Bring back' : 'Archive'}
                </Button>
              </Group>
            )}
          </li>
        ))}
      </ul>
      {editing && (
        <Editor
          key={editing === 'new' ? 'new' : editing.value}
          known={editing === 'new' ? null : editing}
          onClose={() => setEditing(null)}
        />
      )}
    </Panel>
  );
}
