import { Button, SegmentedControl, Text, Textarea } from '@mantine/core';
import { getHotkeyHandler } from '@mantine/hooks';
import { IconArrowLeft, IconMessage, IconSend } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { Link, NavLink, useParams } from 'react-router';
import type { Message, Thread } from '../api/types';
import { fullName, readable } from '../contacts/naming';
import { useContact } from '../contacts/queries';
import { Age } from '../ui/Age';
import { Initials } from '../ui/Initials';
import { attempt } from '../ui/notify';
import { Page } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { ago, dueWords, moment } from '../ui/time';
import classes from './Messages.module.css';
import { useConversation, useReadThread, useSend, useTakeBack, useThreads } from './queries';

const STATES: Partial<Record<Message['state'], string>> = {
  queued: 'Waiting',
  sending: 'On its way',
  sent: 'Sent',
  delivered: 'Delivered',
  undelivered: 'Not delivered',
  failed: 'Not sent',
};

function ThreadLink({ thread }: { thread: Thread }) {
  return (
    <NavLink to={`/messages/${thread.contact.id}`} className={classes.thread}>
      <Initials name={thread.contact.name} size={34} />
      <div className={classes.threadText}>
        <div className={classes.threadHead}>
          <span className="truncate" style={{ fontWeight: thread.unread ? 700 : 550 }}>
            {thread.contact.name}
          </span>
          <time dateTime={thread.last_at}>{ago(thread.last_at)}</time>
        </div>
        <div className="muted truncate">{thread.last.body}</div>
      </div>
      {thread.unread > 0 && (
        <span className={classes.unread}>
          {thread.unread}
          <span className="visually-hidden"> unread</span>
        </span>
      )}
    </NavLink>
  );
}

function Bubble({ message }: { message: Message }) {
  const takeBack = useTakeBack();
  const out = message.direction === 'outbound';
  const waiting = message.state === 'queued' && message.send_at && Date.parse(message.send_at) > Date.now();
  return (
    <li className={classes.bubble} data-out={out || undefined} data-bad={message.error ? true : undefined}>
      <p>{message.body}</p>
      <Text size="xs" className="muted">
        {message.user?.name ?? (message.automatic ? 'Automatic' : out ? 'Ringside' : message.contact_name)} ·{' '}
        <time dateTime={message.created_at} title={moment(message.created_at)}>
          {ago(message.created_at)}
        </time>
        {out && ` · ${STATES[message.state] ?? message.state}`}
      </Text>
      {waiting && message.send_at && (
        <Text size="xs">
          Goes out {dueWords(message.send_at)}
          {message.held_for && `: ${message.held_for}`}{' '}
          <Button
            size="compact-xs"
            variant="subtle"
            loading={takeBack.isPending}
            onClick={() => attempt(takeBack.mutateAsync(message.id), 'It could not be taken back')}
          >
            Take back
          </Button>
        </Text>
      )}
      {message.error && (
        <Text size="xs" style={{ color: 'var(--rs-bad)' }}>
          {message.error}
        </Text>
      )}
    </li>
  );
}

function Composer({ contactId }: { contactId: string }) {
  const [text, setText] = useState('');
  const send = useSend();
  const submit = () => {
    const body = text.trim();
    if (!body || send.isPending) return;
    attempt(send.mutateAsync({ contactId, body }), 'The message was not sent', () => setText(''));
  };
  return (
    <div className={classes.composer}>
      <Textarea
        aria-label="Message"
        placeholder="Write a text message"
        autosize
        minRows={1}
        maxRows={6}
        maxLength={1600}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={getHotkeyHandler([['mod+Enter', submit]])}
      />
      <Button
        leftSection={<IconSend size={16} aria-hidden />}
        disabled={!text.trim()}
        loading={send.isPending}
        onClick={submit}
      >
        Send
      </Button>
    </div>
  );
}

function Conversation({ contactId }: { contactId: string }) {
  const query = useConversation(contactId);
  const contact = useContact(contactId).data;
  const read = useReadThread().mutate;
  const end = useRef<HTMLDivElement>(null);
  const messages = [...(query.data?.data ?? [])].reverse();
  const newest = messages.at(-1)?.id;
  useEffect(() => {
    if (!newest) return;
    end.current?.scrollIntoView({ block: 'end' });
    read(contactId);
  }, [newest, contactId, read]);
  return (
    <section className={classes.conversation} aria-label="Conversation">
      <header className={classes.head}>
        <Link to="/messages" className={classes.back}>
          <IconArrowLeft size={16} aria-hidden /> All conversations
        </Link>
        <Link to={`/contacts/${contactId}`}>{contact ? fullName(contact) : 'Contact'}</Link>
        <Text size="xs" className="muted tabular">
          {contact?.phones[0] && readable(contact.phones[0].e164)}
        </Text>
      </header>
      {query.isPending && <Loading rows={4} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      <ol className={classes.bubbles} aria-label="Messages">
        {messages.map((message) => (
          <Bubble key={message.id} message={message} />
        ))}
        {query.isSuccess && messages.length === 0 && (
          <li>
            <Text className="muted">Nothing was written yet.</Text>
          </li>
        )}
      </ol>
      <div ref={end} />
      <Composer key={contactId} contactId={contactId} />
    </section>
  );
}

/** Text messages, one conversation a contact. */
export default function MessagesPage() {
  const { id } = useParams();
  const [which, setWhich] = useState('all');
  const query = useThreads(which === 'unread');
  const threads = query.data?.data ?? [];
  const nothing = !id && query.isSuccess && threads.length === 0;
  return (
    <Page
      title="Messages"
      beside={<Age updatedAt={query.dataUpdatedAt} />}
      actions={
        <SegmentedControl
          aria-label="Which conversations"
          data={[
            { value: 'all', label: 'All' },
            { value: 'unread', label: 'Unread' },
          ]}
          value={which}
          onChange={setWhich}
        />
      }
    >
      <div className={classes.split} data-open={id ? true : undefined} data-none={nothing || undefined}>
        <nav className={classes.threads} aria-label="Conversations">
          {query.isPending && <Loading rows={5} />}
          {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
          {query.isSuccess && threads.length === 0 && (
            <Empty
              icon={<IconMessage size={20} />}
              title={which === 'unread' ? 'All read' : 'No messages yet'}
            >
              {which === 'unread' ? 'What comes in appears here.' : 'Open a contact and write the first one.'}
            </Empty>
          )}
          {threads.map((thread) => (
            <ThreadLink key={thread.contact.id} thread={thread} />
          ))}
        </nav>
        {id ? (
          <Conversation key={id} contactId={id} />
        ) : (
          !nothing && (
            <div className={classes.none}>
              <Text className="muted">Choose a conversation.</Text>
            </div>
          )
        )}
      </div>
    </Page>
  );
}
