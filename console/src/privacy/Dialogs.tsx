import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { inWords } from '../api/errors';
import { useMe } from '../app/hooks';
import { notifyDone } from '../ui/notify';
import { useAskErasure, useAskExport } from './queries';
import { type Subject, SubjectPicker } from './SubjectPicker';

const NOBODY: Subject = { kind: 'contact', id: null, name: '' };

function about(subject: Subject) {
  return { subject_kind: subject.kind, ...(subject.id ? { subject_id: subject.id } : {}) };
}

function isChosen(subject: Subject): boolean {
  return subject.kind === 'company' || subject.id !== null;
}

/** Asks for somebody's data as files. */
export function ExportDialog({ onClose }: { onClose: () => void }) {
  const { tenant } = useMe();
  const [subject, setSubject] = useState(NOBODY);
  const ask = useAskExport();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate(about(subject), {
      onSuccess: () => {
        notifyDone('It is being put together. You find it in the list when it is ready.');
        onClose();
      },
    });
  };
  return (
    <Modal opened onClose={onClose} title="Export data">
      <form onSubmit={submit}>
        <Stack gap="md">
          <SubjectPicker value={subject} onChange={setSubject} company={tenant.name} />
          <Text size="sm" className="muted">
            A zip with all rows as JSON, recordings as WAV and mail as it came. Mail that only its mailbox’s
            owner may read is not in it.
          </Text>
          {ask.error && (
            <Text c="red" role="alert">
              {inWords(ask.error)}
            </Text>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="subtle" color="gray" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={!isChosen(subject)} loading={ask.isPending}>
              Put together
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

const REACHES: Record<Subject['kind'], string> = {
  contact:
    'Name, numbers and addresses, notes, tasks, messages, mail with its files, recordings and what was said in them, meetings, and every mention in the event log and in imports. Calls stay as numbers in the statistics. Who asked not to be reached stays on that list.',
  member:
    'Name and address, their own numbers, devices and notices, and the mail that only they could read. What they did for the company stays, without their name.',
  company:
    'Everything, for good. It begins in seven days; until then an owner can take it back here. Export what you need before.',
};

/** Asks for somebody to be erased, and for their name to be typed in, so that it is no slip. */
export function EraseDialog({ onClose }: { onClose: () => void }) {
  const { tenant } = useMe();
  const [subject, setSubject] = useState(NOBODY);
  const [confirm, setConfirm] = useState('');
  const ask = useAskErasure();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate(
      { ...about(subject), confirm },
      {
        onSuccess: () => {
          notifyDone(subject.kind === 'company' ? 'It begins in seven days.' : 'Erasing has begun.');
          onClose();
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} title="Erase data">
      <form onSubmit={submit}>
        <Stack gap="md">
          <SubjectPicker value={subject} onChange={setSubject} company={tenant.name} formerOnly />
          <Text size="sm">{REACHES[subject.kind]}</Text>
          {isChosen(subject) && (
            <TextInput
              label={`Type ${subject.name} to go on`}
              autoComplete="off"
              value={confirm}
              onChange={(event) => setConfirm(event.currentTarget.value)}
            />
          )}
          {ask.error && (
            <Text c="red" role="alert">
              {inWords(ask.error)}
            </Text>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="subtle" color="gray" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              color="red"
              disabled={!isChosen(subject) || !confirm.trim()}
              loading={ask.isPending}
            >
              Erase for good
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
