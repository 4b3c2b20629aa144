import { Button, Group, Menu, Select, Text, Title } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowLeft,
  IconCheck,
  IconClock,
  IconLock,
  IconMailOpened,
} from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'react-router';
import { useMembers } from '../admin/queries';
import type { MailThreadWhole } from '../api/types';
import { useMe } from '../app/hooks';
import { useHotkeys } from '../ui/hotkeys';
import { attempt } from '../ui/notify';
import { Failure, Loading } from '../ui/States';
import { dueWords } from '../ui/time';
import { Composer } from './Composer';
import { useBeginDraft } from './drafts';
import classes from './Inbox.module.css';
import { LATER } from './later';
import { MailItem } from './MailItem';
import { type Change, useChangeThread, useMailThread } from './queries';

function Tools({ thread, onDone }: { thread: MailThreadWhole; onDone: () => void }) {
  const me = useMe();
  const members = useMembers().data?.data ?? [];
  const change = useChangeThread();
  const [snoozing, setSnoozing] = useState(false);
  const [assigning, setAssigning] = useState(false);
  const run = (given: Change, then?: () => void) =>
    attempt(change.mutateAsync({ id: thread.id, ...given }), 'The conversation did not change', then);
  const toggle = () => (thread.state === 'open' ? run({ what: 'done' }, onDone) : run({ what: 'reopen' }));
  useHotkeys([
    ['e', toggle],
    ['h', () => setSnoozing(true)],
    ['a', () => setAssigning(true)],
    ['u', () => run({ what: 'unread' }, onDone)],
    ['i', () => run({ what: 'assign', userId: me.user.id })],
  ]);
  return (
    <Group gap={6}>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconCheck size={15} aria-hidden />}
        loading={change.isPending}
        onClick={toggle}
      >
        {thread.state === 'open' ? 'Done' : 'Back to the inbox'}
      </Button>
      <Menu opened={snoozing} onChange={setSnoozing} position="bottom-start">
        <Menu.Target>
          <Button size="compact-sm" variant="default" leftSection={<IconClock size={15} aria-hidden />}>
            Snooze
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {LATER.map((each) => (
            <Menu.Item
              key={each.label}
              onClick={() => run({ what: 'snooze', until: each.at().toISOString() }, onDone)}
            >
              {each.label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconMailOpened size={15} aria-hidden />}
        onClick={() => run({ what: 'unread' }, onDone)}
      >
        Unread
      </Button>
      <Select
        size="xs"
        w={170}
        aria-label="Who sees to it"
        placeholder="Nobody sees to it"
        clearable
        searchable
        dropdownOpened={assigning}
        onDropdownOpen={() => setAssigning(true)}
        onDropdownClose={() => setAssigning(false)}
        data={members
          .filter((each) => each.status === 'active')
          .map((each) => ({ value: each.id, label: each.name }))}
        value={thread.assignee?.id ?? null}
        onChange={(userId) => run({ what: 'assign', userId })}
      />
    </Group>
  );
}

function Whole({ thread, onDone }: { thread: MailThreadWhole; onDone: () => void }) {
  const me = useMe();
  const { search } = useLocation();
  const begin = useBeginDraft();
  const read = useChangeThread().mutate;
  const [draft, setDraft] = useState<string | null>(null);
  const newest = thread.items.at(-1);
  const [opened, setOpened] = useState<Record<string, boolean>>({});
  const end = useRef<HTMLDivElement>(null);
  const { id, unread } = thread;
  useEffect(() => {
    if (unread > 0) read({ id, what: 'read' });
  }, [id, unread, read]);
  const reply = (all: boolean, messageId = newest?.id) => {
    if (!messageId || begin.isPending) return;
    const body = {
      mailbox_id: thread.mailbox.id,
      reply_to_message_id: messageId,
      reply_all: all,
      signature: true,
      contact_id: thread.contact?.id ?? null,
    };
    attempt(begin.mutateAsync(body), 'No answer could be begun', (begun) => {
      setDraft(begun.id);
      setTimeout(() => end.current?.scrollIntoView({ block: 'end' }), 0);
    });
  };
  useHotkeys([
    ['r', () => reply(false)],
    ['shift+r', () => reply(true)],
  ]);
  const other = thread.claimed_by && thread.claimed_by.id !== me.user.id ? thread.claimed_by.name : null;
  return (
    <article className={classes.reader} aria-labelledby="thread-subject">
      <header className={classes.readerHead}>
        <Link to={{ pathname: '/inbox', search }} className={classes.back}>
          <IconArrowLeft size={16} aria-hidden /> All conversations
        </Link>
        <Title order={2} id="thread-subject">
          {thread.private && <IconLock size={16} aria-label="Private" />} {thread.subject || 'No subject'}
        </Title>
        <Text size="xs" className="muted">
          {thread.contact ? (
            <Link to={`/contacts/${thread.contact.id}`}>{thread.contact.name}</Link>
          ) : (
            'Nobody in your contacts'
          )}{' '}
          · {thread.mailbox.address}
          {thread.state === 'snoozed' && thread.snoozed_until && ` · back ${dueWords(thread.snoozed_until)}`}
        </Text>
        <Tools thread={thread} onDone={onDone} />
        {other && (
          <Text size="sm" role="status" className={classes.claimed}>
            {other} is writing to them just now.
          </Text>
        )}
      </header>
      <ol className={classes.items} aria-label="Messages">
        {thread.items.map((message) => (
          <MailItem
            key={message.id}
            message={message}
            open={opened[message.id] ?? (message.id === newest?.id || !message.read)}
            onToggle={() =>
              setOpened((before) => ({
                ...before,
                [message.id]: !(before[message.id] ?? (message.id === newest?.id || !message.read)),
              }))
            }
            onReply={(all) => reply(all, message.id)}
          />
        ))}
      </ol>
      <div className={classes.answer} ref={end}>
        {draft ? (
          <Composer draftId={draft} isReply onClose={() => setDraft(null)} />
        ) : (
          <Group gap="xs">
            <Button
              leftSection={<IconArrowBackUp size={16} aria-hidden />}
              loading={begin.isPending}
              onClick={() => reply(false)}
            >
              Answer
            </Button>
            <Button variant="default" onClick={() => reply(true)}>
              Answer all
            </Button>
          </Group>
        )}
      </div>
    </article>
  );
}

/** A conversation and what one can do with it. */
export function ThreadReader({ id, onDone }: { id: string; onDone: () => void }) {
  const query = useMailThread(id);
  if (query.isPending) return <Loading rows={6} />;
  if (query.isError) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return <Whole key={id} thread={query.data} onDone={onDone} />;
}
