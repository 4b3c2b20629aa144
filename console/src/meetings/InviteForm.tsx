import { Button, Group, Modal, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { Contact } from '../api/types';
import { fullName } from '../contacts/naming';
import { useMailboxes } from '../settings/mail';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { useInvite } from './queries';

/** The next full hour, as a datetime-local field wants it. */
function nextHour(): string {
  const at = new Date(Date.now() + 3_600_000);
  at.setMinutes(0, 0, 0);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Invites a contact to a meeting by mail. */
export function InviteForm({ contact, onClose }: { contact: Contact; onClose: () => void }) {
  const mailboxes = (useMailboxes().data?.data ?? []).filter((each) => each.state !== 'disconnected');
  const invite = useInvite();
  const name = fullName(contact);
  const [summary, setSummary] = useState(`Meeting with ${name}`);
  const [at, setAt] = useState(nextHour);
  const [minutes, setMinutes] = useState(30);
  const [location, setLocation] = useState('');
  const [note, setNote] = useState('');
  const [mailbox, setMailbox] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const start = new Date(at);
    invite.mutate(
      {
        contactId: contact.id,
        summary: summary.trim(),
        start_at: start.toISOString(),
        end_at: new Date(start.getTime() + minutes * 60_000).toISOString(),
        location: location.trim(),
        note: note.trim(),
        mailbox_id: mailbox ?? mailboxes[0]?.id ?? null,
      },
      {
        onSuccess: () => {
          notifyDone(`${name} is being invited`);
          onClose();
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} title={`Invite ${name}`}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <TextInput
          label="About"
          required
          data-autofocus
          value={summary}
          onChange={(event) => setSummary(event.currentTarget.value)}
        />
        <Group grow align="end">
          <TextInput
            label="Begins"
            type="datetime-local"
            required
            value={at}
            onChange={(event) => setAt(event.currentTarget.value)}
          />
          <NumberInput
            label="Minutes"
            min={5}
            max={1440}
            step={15}
            value={minutes}
            onChange={(value) => setMinutes(Number(value) || 30)}
          />
        </Group>
        <TextInput
          label="Where"
          placeholder="A link or a place"
          value={location}
          onChange={(event) => setLocation(event.currentTarget.value)}
        />
        <Textarea
          label="Note"
          autosize
          minRows={2}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {mailboxes.length > 1 && (
          <Select
            label="From"
            allowDeselect={false}
            data={mailboxes.map((each) => ({ value: each.id, label: each.address }))}
            value={mailbox ?? mailboxes[0]?.id ?? null}
            onChange={setMailbox}
          />
        )}
        <FormFoot error={invite.error} onCancel={onClose}>
          <Button type="submit" loading={invite.isPending} disabled={!at}>
            Send the invitation
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
