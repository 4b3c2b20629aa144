import { Button, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconInbox, IconMail, IconPencil, IconSearch } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { Link, NavLink, useNavigate, useParams, useSearchParams } from 'react-router';
import type { MailThread } from '../api/types';
import { useMe } from '../app/hooks';
import { useMailboxes } from '../settings/mail';
import { Age } from '../ui/Age';
import { useHotkeys } from '../ui/hotkeys';
import { Page } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { ago } from '../ui/time';
import classes from './Inbox.module.css';
import { MailMeter } from './MailMeter';
import { Outgoing } from './Outgoing';
import { useMailThreads, type View } from './queries';
import { ThreadReader } from './ThreadReader';
import { useWrite } from './useWrite';

const VIEWS: { value: View | 'outgoing'; label: string; empty: string }[] = [
  { value: 'inbox', label: 'Inbox', empty: 'Everything is done.' },
  { value: 'mine', label: 'Mine', empty: 'Nothing waits for you.' },
  { value: 'unassigned', label: 'Nobody’s', empty: 'Everything is seen to.' },
  { value: 'snoozed', label: 'Snoozed', empty: 'Nothing is put off.' },
  { value: 'sent', label: 'Sent', empty: 'Nothing was sent yet.' },
  { value: 'done', label: 'Done', empty: 'Nothing was done yet.' },
  { value: 'all', label: 'All', empty: 'No mail yet.' },
  { value: 'outgoing', label: 'Drafts and going out', empty: '' },
];

function ThreadLink({ thread, search }: { thread: MailThread; search: string }) {
  const me = useMe();
  const writing = thread.claimed_by?.id === me.user.id ? null : thread.claimed_by;
  const who =
    thread.contact?.name ??
    thread.participants.map((each) => each.name || each.address).join(', ') ??
    thread.mailbox.address;
  return (
    <NavLink
      to={{ pathname: `/inbox/${thread.id}`, search }}
      className={classes.thread}
      data-unread={thread.unread > 0 || undefined}
    >
      <div className={classes.threadHead}>
        <span className="truncate">
          {who || thread.mailbox.address}
          {thread.messages > 1 && <span className="muted"> {thread.messages}</span>}
        </span>
        <time dateTime={thread.last_at}>{ago(thread.last_at)}</time>
      </div>
      <div className={`${classes.threadSubject} truncate`}>
        {thread.unread > 0 && <span className="visually-hidden">Unread: </span>}
        {thread.subject || 'No subject'}
      </div>
      <div className="muted truncate">{writing ? `${writing.name} is writing…` : thread.snippet}</div>
      {thread.assignee && <span className={classes.assignee}>{thread.assignee.name}</span>}
    </NavLink>
  );
}

/** Mail from everywhere one may see: what came, what is to be done about it, and answers. */
export default function InboxPage() {
  const { id } = useParams();
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const view = (params.get('view') ?? 'inbox') as View | 'outgoing';
  const [typed, setTyped] = useState('');
  const [q] = useDebouncedValue(typed.trim(), 200);
  const write = useWrite();
  const mailboxes = useMailboxes();
  const search = useRef<HTMLInputElement>(null);
  const shown: View = view === 'outgoing' ? 'inbox' : view;
  const query = useMailThreads({ view: q ? 'all' : shown, ...(q ? { q } : {}) });
  const threads = query.data?.pages.flatMap((page) => page.data) ?? [];
  const place = threads.findIndex((each) => each.id === id);
  const open = (thread: MailThread | undefined) =>
    thread && navigate({ pathname: `/inbox/${thread.id}`, search: params.toString() });
  const next = () => open(threads[place + 1] ?? threads[0]);
  const after = () => {
    const following = threads[place + 1] ?? threads[place - 1];
    if (following) open(following);
    else navigate({ pathname: '/inbox', search: params.toString() });
  };
  useHotkeys([
    ['j', next],
    ['k', () => open(threads[Math.max(0, place - 1)])],
    ['c', () => write()],
    ['/', () => search.current?.focus()],
  ]);
  const none = mailboxes.isSuccess && mailboxes.data.data.length === 0;
  const words = VIEWS.find((each) => each.value === view) ?? VIEWS[0];
  return (
    <Page
      title="Inbox"
      beside={<MailMeter />}
      actions={
        <Button leftSection={<IconPencil size={16} aria-hidden />} onClick={() => write()} disabled={none}>
          Write
        </Button>
      }
    >
      <div
        className={classes.split}
        data-open={id !== undefined || undefined}
        data-none={(none && !id) || undefined}
      >
        <section className={classes.list} aria-label="Conversations">
          <div className={classes.listHead} hidden={none && !id}>
            <TextInput
              ref={search}
              type="search"
              size="sm"
              aria-label="Search mail"
              placeholder="Search mail"
              leftSection={<IconSearch size={15} aria-hidden />}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
            <nav className={classes.views} aria-label="Views">
              {VIEWS.map((each) => (
                <button
                  key={each.value}
                  type="button"
                  aria-current={each.value === view ? 'page' : undefined}
                  onClick={() => setParams(each.value === 'inbox' ? {} : { view: each.value })}
                >
                  {each.label}
                </button>
              ))}
            </nav>
          </div>
          {view === 'outgoing' && !q ? (
            <Outgoing />
          ) : (
            <div className={classes.threads}>
              {query.isPending && <Loading rows={8} />}
              {query.isError && !query.data && (
                <Failure error={query.error} onRetry={() => query.refetch()} />
              )}
              {query.isSuccess &&
                threads.length === 0 &&
                (none ? (
                  <Empty
                    icon={<IconMail size={20} />}
                    title="No mailbox is connected"
                    action={
                      <Button component={Link} to="/settings/mailboxes">
                        Connect a mailbox
                      </Button>
                    }
                  >
                    Your mail with contacts is read and answered here.
                  </Empty>
                ) : (
                  <Empty icon={<IconInbox size={20} />} title={q ? 'Nothing found' : (words?.empty ?? '')}>
                    {q ? 'Try fewer or other words.' : ''}
                  </Empty>
                ))}
              {threads.map((thread) => (
                <ThreadLink key={thread.id} thread={thread} search={params.toString()} />
              ))}
              {query.hasNextPage && (
                <Button
                  variant="subtle"
                  m="sm"
                  loading={query.isFetchingNextPage}
                  onClick={() => query.fetchNextPage()}
                >
                  Show earlier
                </Button>
              )}
              {threads.length > 0 && (
                <Text size="xs" className="muted" p="sm">
                  <Age polled updatedAt={query.dataUpdatedAt} />
                </Text>
              )}
            </div>
          )}
        </section>
        {id ? (
          <ThreadReader id={id} onDone={after} />
        ) : (
          threads.length > 0 && (
            <div className={classes.nothing}>
              <Empty icon={<IconMail size={20} />} title="Choose a conversation">
                J and K go through them, C writes a new mail, R answers, E is done, H puts it off.
              </Empty>
            </div>
          )
        )}
      </div>
    </Page>
  );
}
