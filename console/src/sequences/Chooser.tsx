import { Select } from '@mantine/core';
import { type SavedFilter, WhichContacts } from '../contacts/WhichContacts';
import { useMailboxes } from '../settings/mail';

export type Choice = { filter: SavedFilter; mailboxId: string | null };

/** Whom, and from which mailbox. */
export function Chooser({ value, onChange }: { value: Choice; onChange: (to: Choice) => void }) {
  const mailboxes = (useMailboxes().data?.data ?? []).filter((each) => each.state !== 'disconnected');
  return (
    <>
      <WhichContacts value={value.filter} onChange={(filter) => onChange({ ...value, filter })} />
      <Select
        label="Write from"
        placeholder="Your own mailbox"
        clearable
        data={mailboxes.map((each) => ({ value: each.id, label: each.address }))}
        value={value.mailboxId}
        onChange={(mailboxId) => onChange({ ...value, mailboxId })}
      />
    </>
  );
}
