import { Button, Checkbox, Group, Modal, Text } from '@mantine/core';
import { useState } from 'react';
import type { Mailbox } from '../api/types';
import { attempt, notifyDone } from '../ui/notify';
import { useDisconnect } from './mail';

/** Gives the access back; the mail stays, unless it is to go as well. */
export function DisconnectMailbox({ mailbox, onClose }: { mailbox: Mailbox; onClose: () => void }) {
  const disconnect = useDisconnect();
  const [erase, setErase] = useState(false);
  const go = () =>
    attempt(disconnect.mutateAsync({ id: mailbox.id, erase }), 'The mailbox is still connected', () => {
      notifyDone(`${mailbox.address} is disconnected`);
      onClose();
    });
  return (
    <Modal opened onClose={onClose} title={`Disconnect ${mailbox.address}?`}>
      <Text>
        No mail is taken in or sent through it any more, and sequences that write from it wait. Connecting it
        again goes on where this ended.
      </Text>
      <Checkbox
        mt="md"
        label="Delete the mail that was taken in, too"
        checked={erase}
        onChange={(event) => setErase(event.currentTarget.checked)}
      />
      <Group justify="flex-end" gap="xs" mt="lg">
        <Button variant="subtle" color="gray" onClick={onClose}>
          Cancel
        </Button>
        <Button color="red" loading={disconnect.isPending} onClick={go}>
          {erase ? 'Disconnect and delete' : 'Disconnect'}
        </Button>
      </Group>
    </Modal>
  );
}
