import { Button, List, Modal, Select, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { Mailbox, Member } from '../api/types';
import { useMe } from '../app/hooks';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { consequences, isOwnerGone, takers } from './giving';
import { useChangeMailbox } from './mail';

type Props = { mailbox: Mailbox; members: Member[]; onClose: () => void };

/** Makes a mailbox, with all the mail in it, somebody else's; says before what they will see. */
export function GiveMailbox({ mailbox, members, onClose }: Props) {
  const me = useMe();
  const give = useChangeMailbox();
  const [chosen, setChosen] = useState<string | null>(null);
  const open = takers(mailbox, members);
  const taker = open.find((each) => each.id === chosen);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!taker) return;
    give.mutate(
      { id: mailbox.id, user_id: taker.id },
      {
        onSuccess: () => {
          notifyDone(`${mailbox.address} is ${taker.id === me.user.id ? 'yours' : `${taker.name}’s`} now`);
          onClose();
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} title={`Give ${mailbox.address} to a colleague`}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <Select
          label="New owner"
          placeholder="Who is to have it"
          data-autofocus
          openOnFocus={false}
          searchable
          nothingFoundMessage="No active member is called so"
          data={open.map((each) => ({
            value: each.id,
            label: each.id === me.user.id ? `${each.name} (you)` : each.name,
          }))}
          value={chosen}
          onChange={setChosen}
        />
        {taker ? (
          <List size="sm" spacing={6} role="status">
            {consequences(mailbox, taker, me.user.id, isOwnerGone(mailbox, members)).map((line) => (
              <List.Item key={line}>{line}</List.Item>
            ))}
          </List>
        ) : (
          <Text size="sm" className="muted">
            All mail in it goes with the mailbox, private mail included.
          </Text>
        )}
        <FormFoot error={give.error} onCancel={onClose}>
          <Button type="submit" loading={give.isPending} disabled={!taker}>
            {taker ? `Give it to ${taker.name}` : 'Give it'}
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
