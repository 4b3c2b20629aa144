import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { MailSend } from '../api/types';
import { api, queryClient } from '../app/services';
import { attempt } from '../ui/notify';
import { dueWords } from '../ui/time';
import { openDraft } from './compose';
import { rereadMail } from './queries';

async function undo(id: string): Promise<void> {
  const answer = api.POST('/api/v1/mail/sends/{id}/undo', { params: { path: { id } } });
  const draft = await unwrap(answer);
  queryClient.setQueryData(keys.mailDraft(draft.id), draft);
  void rereadMail();
  openDraft(draft.id);
}

/** Says that a mail goes out, with the time to take it back. */
export function sentNotice(send: MailSend): void {
  const id = `sent ${send.id}`;
  const until = send.undo_until ?? send.send_at;
  const left = until ? Date.parse(until) - Date.now() : 0;
  const later = send.send_at !== null && Date.parse(send.send_at) - Date.now() > 60_000;
  const takeBack = () => {
    notifications.hide(id);
    attempt(undo(send.id), 'It could not be taken back');
  };
  notifications.show({
    id,
    role: 'status',
    color: 'petrol',
    autoClose: Math.min(10_000, Math.max(4000, left)),
    message: (
      <Group justify="space-between" wrap="nowrap">
        <span>{later && send.send_at ? `Goes out ${dueWords(send.send_at)}` : 'The mail goes out'}</span>
        <Button size="compact-sm" variant="light" onClick={takeBack}>
          Undo
        </Button>
      </Group>
    ),
  });
}
