import { Button, Group, Modal, NumberInput, Select, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useNavigate } from 'react-router';
import { inWords } from '../api/errors';
import type { Queue } from '../api/types';
import { words } from '../contacts/naming';
import { useFacets } from '../contacts/queries';
import { useCreateQueue } from './queries';
import { ORDERS } from './words';

/** A queue from a filter over the contacts; without one, everybody. */
export function NewQueue({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const facets = useFacets().data;
  const create = useCreateQueue();
  const [name, setName] = useState('');
  const [q, setQ] = useState('');
  const [stage, setStage] = useState<string | null>(null);
  const [tag, setTag] = useState<string | null>(null);
  const [owner, setOwner] = useState<string | null>(null);
  const [order, setOrder] = useState<Queue['order']>('local_time');
  const [lines, setLines] = useState(1);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const filter = {
      ...(q.trim() ? { q: q.trim() } : {}),
      ...(stage ? { stage } : {}),
      ...(tag ? { tag } : {}),
      ...(owner ? { owner_id: owner } : {}),
    };
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
        <TextInput
          label="Search"
          placeholder="Everybody"
          value={q}
          onChange={(event) => setQ(event.currentTarget.value)}
        />
        <Group grow>
          <Select
            label="Stage"
            placeholder="Any"
            clearable
            data={(facets?.stages ?? []).map((value) => ({ value, label: words(value) }))}
            value={stage}
            onChange={setStage}
          />
          <Select
            label="Tag"
            placeholder="Any"
            clearable
            searchable
            data={facets?.tags ?? []}
            value={tag}
            onChange={setTag}
          />
        </Group>
        <Select
          label="Owner"
          placeholder="Anybody"
          clearable
          data={(facets?.owners ?? []).map((each) => ({ value: each.id, label: each.name }))}
          value={owner}
          onChange={setOwner}
        />
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
        {create.error && (
          <Text c="red" role="alert">
            {inWords(create.error)}
          </Text>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" color="gray" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!name.trim()} loading={create.isPending}>
            Make queue
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
