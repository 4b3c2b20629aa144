import { Button, Modal, Select, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMembers } from '../admin/queries';
import { useMe } from '../app/hooks';
import { session } from '../app/services';
import { FormFoot } from '../ui/FormFoot';
import { useLeave } from './company';

const STAYS = 'stays';
const NOBODY = 'nobody';
// A mailbox is one's own: it is given by name, in the settings of mailboxes.
const TO_A_COLLEAGUE = [
  'contacts',
  'tasks',
  'sequences',
  'conversations',
  'queues',
  'numbers',
  'templates',
] as const;
const TO_EVERYBODY = ['contacts', 'tasks', 'sequences', 'conversations', 'queues', 'numbers'] as const;

/** The last step out of a company: who takes one's work over. */
export function LeaveCompany({ company, onClose }: { company: string; onClose: () => void }) {
  const me = useMe();
  const members = useMembers().data?.data ?? [];
  const leave = useLeave();
  const [to, setTo] = useState(STAYS);
  const others = members.filter((each) => each.status === 'active' && each.id !== me.user.id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const handover =
      to === STAYS
        ? null
        : to === NOBODY
          ? { to_id: null, kinds: [...TO_EVERYBODY] }
          : { to_id: to, kinds: [...TO_A_COLLEAGUE] };
    leave.mutate(handover, {
      onSuccess: async () => {
        const next = me.tenants.find((each) => each.id !== me.tenant.id);
        if (next) await session.refresh();
        else session.end(`You have left ${company}.`);
      },
    });
  };
  return (
    <Modal opened onClose={onClose} title={`Leave ${company}?`}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <Text>
          You are signed out of {company} on all devices at once. Your private mailboxes rest; give them to a
          colleague before, if somebody needs them.
        </Text>
        <Select
          label="Your contacts, tasks, sequences and numbers"
          searchable
          allowDeselect={false}
          data={[
            { value: STAYS, label: 'Stay in my name until an admin decides' },
            { value: NOBODY, label: 'Are everybody’s' },
            ...others.map((each) => ({ value: each.id, label: `Go to ${each.name}` })),
          ]}
          value={to}
          onChange={(next) => next && setTo(next)}
        />
        <FormFoot error={leave.error} onCancel={onClose} cancel="Stay">
          <Button type="submit" color="red" loading={leave.isPending}>
            Leave {company}
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
