import { Button, Modal, NumberInput, Select, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useNavigate } from 'react-router';
import type { Queue } from '../api/types';
import { type SavedFilter, WhichContacts } from '../contacts/WhichContacts';
import { FormFoot } from '../ui/FormFoot';
import { useCreateQueue } from './queries';
import { ORDERS } from './words';

/** A queue from a filter over the contacts; without one, everybody. */
export function NewQueue({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const create = useCreateQueue();
  const [name, setName] = useState('');
  const [filter, setFilter] = useState<SavedFilter>({});
  const [order, setOrder] = useState<Queue['order']>('local_time');
  const [lines, setLines] = useState(1);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { name: name.trim(), filter, order, lines },
      {
        onSuccess: (queue) => {
          onClose();
          navigate(`/dialer/${queue.id}`);
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} title="New queue">
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <TextInput
          label="Name"
          required
          data-autofocus
          placeholder="Autumn offer"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <WhichContacts value={filter} onChange={setFilter} />
        <Select
          label="Order"
          allowDeselect={false}
          data={ORDERS}
          value={order}
          onChange={(value) => setOrder((value ?? 'local_time') as Queue['order'])}
        />
        <NumberInput
          label="Lines"
          description="More than one calls several people at once and connects you to the first who answers. It falls back to one before three in a hundred are left hanging."
          min={1}
          max={5}
          value={lines}
          onChange={(value) => setLines(Number(value) || 1)}
        />
        <FormFoot error={create.error} onCancel={onClose}>
          <Button type="submit" disabled={!name.trim()} loading={create.isPending}>
            Make queue
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
