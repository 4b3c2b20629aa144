import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { Contact } from '../api/types';
import { notifyDone, notifyFailure } from '../ui/notify';
import { fullName } from './naming';
import { useDeleteContact, useRestoreContact } from './queries';

/** Deletes at once and offers to take it back. */
export function useDeletion(onDeleted: () => void): (contact: Contact) => void {
  const remove = useDeleteContact();
  const restore = useRestoreContact();

  const undo = (contact: Contact, notice: string) => {
    notifications.hide(notice);
    restore.mutate(contact.id, {
      onSuccess: () => notifyDone(`${fullName(contact)} is back`),
      onError: (error) => notifyFailure(`${fullName(contact)} could not be restored`, error),
    });
  };

  return (contact) =>
    remove.mutate(contact.id, {
      onSuccess: () => {
        const notice = `deleted-${contact.id}`;
        notifyDone(
          <Group justify="space-between" wrap="nowrap">
            <span>{fullName(contact)} was deleted</span>
            <Button size="compact-sm" variant="light" onClick={() => undo(contact, notice)}>
              Undo
            </Button>
          </Group>,
          notice,
        );
        onDeleted();
      },
      onError: (error) => notifyFailure(`${fullName(contact)} could not be deleted`, error),
    });
}
