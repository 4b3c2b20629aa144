import { Button, Group, Modal, Select, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Link } from 'react-router';
import { inWords } from '../api/errors';
import type { Contact } from '../api/types';
import { ToneBadge } from '../calls/StateBadge';
import { fullName } from '../contacts/naming';
import { attempt, notifyDone } from '../ui/notify';
import { standing } from './EnrolmentsPanel';
import { useChangeEnrolments, useContactEnrolments, useEnrol, useSequences } from './queries';
import classes from './Sequences.module.css';
import { ENROLMENT_STATES } from './words';

/** Puts one contact into a sequence. */
export function EnrolContact({ contact, onClose }: { contact: Contact; onClose: () => void }) {
  const sequences = (useSequences().data?.data ?? []).filter((each) => each.state !== 'archived');
  const enrol = useEnrol();
  const [id, setId] = useState<string | null>(null);
  const refused = enrol.data?.refused[0]?.why;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!id) return;
    enrol.mutate(
      { id, contact_ids: [contact.id] },
      {
        onSuccess: (done) => {
          if (done.enrolled === 0) return;
          notifyDone(`${fullName(contact)} is enrolled`);
          onClose();
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} title={`Enrol ${fullName(contact)}`}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <Select
          label="Sequence"
          required
          searchable
          data-autofocus
          nothingFoundMessage="No such sequence"
          data={sequences.map((each) => ({ value: each.id, label: each.name }))}
          value={id}
          onChange={setId}
        />
        {(enrol.error || refused) && (
          <Text c="red" role="alert">
            {enrol.error ? inWords(enrol.error) : refused}
          </Text>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" color="gray" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!id} loading={enrol.isPending}>
            Enrol
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

/** The sequences a contact is in just now. */
export function ContactSequences({ contactId }: { contactId: string }) {
  const query = useContactEnrolments(contactId);
  const change = useChangeEnrolments();
  const live = (query.data?.data ?? []).filter((each) => each.state === 'active' || each.state === 'paused');
  if (live.length === 0) return null;
  const act = (id: string, action: 'pause' | 'resume' | 'stop') =>
    attempt(change.mutateAsync({ ids: [id], action, reason: '' }), 'Nothing changed');
  return (
    <ul className={classes.list} aria-label="Sequences">
      {live.map((each) => {
        const [word, tone] = ENROLMENT_STATES[each.state];
        return (
          <li key={each.id} className={classes.line}>
            <div className={classes.grow}>
              <Link to={`/sequences/${each.sequence.id}/contacts`}>{each.sequence.name}</Link>
              <Text size="xs" className="muted">
                {standing(each)}
              </Text>
            </div>
            <ToneBadge tone={tone}>{word}</ToneBadge>
            <Button
              size="compact-xs"
              variant="default"
              onClick={() => act(each.id, each.state === 'active' ? 'pause' : 'resume')}
            >
              {each.state === 'active' ? 'Pause' : 'Go on'}
            </Button>
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => act(each.id, 'stop')}>
              Take out
            </Button>
          </li>
        );
      })}
    </ul>
  );
}
