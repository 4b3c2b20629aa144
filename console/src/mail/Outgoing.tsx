import { Button, Group, Text, Title } from '@mantine/core';
import type { MailDraft, MailSend } from '../api/types';
import { attempt } from '../ui/notify';
import { Loading } from '../ui/States';
import { ago, dueWords } from '../ui/time';
import { openDraft } from './compose';
import { useDrafts, useUndoSend } from './drafts';
import classes from './Inbox.module.css';
import { useDecideSend, useSends } from './queries';

const whom = (each: MailSend | MailDraft) =>
  each.to.map((to) => to.name || to.address).join(', ') || 'Nobody yet';

function Line({ send, children }: { send: MailSend | MailDraft; children: React.ReactNode }) {
  return (
    <li className={classes.send}>
      <div className="truncate" style={{ fontWeight: 550 }}>
        {whom(send)}
      </div>
      <div className="truncate">{send.subject || 'No subject'}</div>
      {children}
    </li>
  );
}

function Drafts() {
  const drafts = useDrafts();
  if (drafts.isPending) return <Loading rows={3} />;
  const list = drafts.data?.data ?? [];
  return (
    <section aria-label="Drafts">
      <Title order={3}>Drafts</Title>
      <ul>
        {list.map((draft) => (
          <Line key={draft.id} send={draft}>
            <Group gap={8}>
              <Text size="xs" className="muted">
                {ago(draft.created_at)}
              </Text>
              <Button size="compact-xs" variant="light" onClick={() => openDraft(draft.id)}>
                Go on writing
              </Button>
            </Group>
          </Line>
        ))}
        {list.length === 0 && <Text className="muted">None.</Text>}
      </ul>
    </section>
  );
}

const HELD = {
  failed: 'Could not be sent',
  unsure: 'Perhaps sent, perhaps not: look before you send again',
} as const;

function Held({ state }: { state: keyof typeof HELD }) {
  const sends = useSends(state).data?.data ?? [];
  const decide = useDecideSend();
  if (sends.length === 0) return null;
  return (
    <section aria-label={HELD[state]}>
      <Title order={3}>{HELD[state]}</Title>
      <ul>
        {sends.map((send) => (
          <Line key={send.id} send={send}>
            <Text size="xs" style={{ color: 'var(--rs-bad)' }}>
              {send.error}
            </Text>
            <Group gap={8}>
              {(['retry', 'discard'] as const).map((what) => (
                <Button
                  key={what}
                  size="compact-xs"
                  variant={what === 'retry' ? 'light' : 'subtle'}
                  color={what === 'retry' ? undefined : 'gray'}
                  onClick={() => attempt(decide.mutateAsync({ id: send.id, what }), 'Nothing changed')}
                >
                  {what === 'retry' ? 'Send again' : 'Let it be'}
                </Button>
              ))}
            </Group>
          </Line>
        ))}
      </ul>
    </section>
  );
}

function Waiting() {
  const sends = useSends('scheduled').data?.data ?? [];
  const undo = useUndoSend();
  if (sends.length === 0) return null;
  return (
    <section aria-label="Goes out later">
      <Title order={3}>Goes out later</Title>
      <ul>
        {sends.map((send) => (
          <Line key={send.id} send={send}>
            <Group gap={8}>
              <Text size="xs" className="muted">
                {send.send_at && dueWords(send.send_at)}
                {send.error && `: ${send.error}`}
              </Text>
              {send.source !== 'sequence' && (
                <Button
                  size="compact-xs"
                  variant="light"
                  onClick={() =>
                    attempt(undo.mutateAsync(send.id), 'It could not be taken back', ({ id }) =>
                      openDraft(id),
                    )
                  }
                >
                  Take back
                </Button>
              )}
            </Group>
          </Line>
        ))}
      </ul>
    </section>
  );
}

/** What is being written, waits for its time, or is held up. */
export function Outgoing() {
  return (
    <div className={classes.outgoing}>
      <Held state="unsure" />
      <Held state="failed" />
      <Waiting />
      <Drafts />
    </div>
  );
}
