import { Button, Modal, Select, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMembers } from '../admin/queries';
import { useMe } from '../app/hooks';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { useTransfer } from './company';

/** Makes somebody else the owner. The server asks first whether it is really the owner who wants that. */
export function TransferCompany({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const members = useMembers().data?.data ?? [];
  const transfer = useTransfer();
  const [toId, setToId] = useState<string | null>(null);
  const others = members.filter((each) => each.status === 'active' && each.id !== me.user.id);
  const heir = others.find((each) => each.id === toId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!heir) return;
    transfer.mutate(heir.id, {
      onSuccess: () => {
        notifyDone(`${heir.name} owns ${me.tenant.name} now`);
        onClose();
      },
    });
  };
  return (
    <Modal opened onClose={onClose} title={`Hand ${me.tenant.name} on`}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <Text>
          The new owner may do everything, and you become an admin. Only they can make you an owner again.
        </Text>
        <Select
          label="New owner"
          placeholder="Choose a colleague"
          searchable
          data-autofocus
          openOnFocus={false}
          nothingFoundMessage="No active member is called so"
          data={others.map((each) => ({ value: each.id, label: each.name }))}
          value={toId}
          onChange={setToId}
        />
        <FormFoot error={transfer.error} onCancel={onClose}>
          <Button type="submit" color="red" loading={transfer.isPending} disabled={!heir}>
            {heir ? `Make ${heir.name} the owner` : 'Make them the owner'}
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
