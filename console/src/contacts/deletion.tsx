import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { Contact } from '../api/types';
import { attempt, notifyDone } from '../ui/notify';
import { fullName } from './naming';
import { useDeleteContact, useRestoreContact } from './queries';

/** Deletes at once and offers to take it back. */
export function useDeletion(onDeleted: () => void): (contact: Contact) => void {
  const remove = useDeleteContact();
  const restore = useRestoreContact();

  const undo = (contact: Contact, notice: string) => {
    const name = fullName(contact);
    notifications.hide(notice);
    attempt(restore.mutateAsync(contact.id), `${name} could not be restored`, () =>
      notifyDone(`${name} is back`),
    );
  };

  return (contact) => {
    const name = fullName(contact);
    attempt(remove.mutateAsync(contact.id), `${name} could not be deleted`, () => {
      const notice = `deleted-${contact.id}`;
      notifyDone(
        <Group justify="space-between" wrap="nowrap">
          <span>{name} was deleted</span>
          <Button size="compact-sm" variant="light" onClick={() => undo(contact, notice)}>
            Undo
          </Button>
        </Group>,
        notice,
      );
      onDeleted();
    });
  };
}
