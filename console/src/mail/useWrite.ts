import { useMe } from '../app/hooks';
import { useMailboxes } from '../settings/mail';
import { attempt, notifyFailure } from '../ui/notify';
import { openDraft } from './compose';
import { useBeginDraft } from './drafts';

/** Begins a new mail, from one's own mailbox where there is one. */
export function useWrite() {
  const me = useMe();
  const mailboxes = useMailboxes();
  const begin = useBeginDraft();
  return (to?: { address: string; name?: string }, contactId?: string) => {
    const usable = (mailboxes.data?.data ?? []).filter((each) => each.state !== 'disconnected');
    const mailbox = usable.find((each) => each.user.id === me.user.id) ?? usable[0];
    if (!mailbox) {
      notifyFailure(
        'No mailbox is connected',
        new Error('Connect one in Settings, Mailboxes; then you can write from here.'),
      );
      return;
    }
    const draft = {
      mailbox_id: mailbox.id,
      to: to ? [to] : [],
      contact_id: contactId ?? null,
      reply_all: false,
      signature: true,
    };
    attempt(begin.mutateAsync(draft), 'No mail could be begun', ({ id }) => openDraft(id));
  };
}
