import { ActionIcon, Anchor, Button, Indicator, Popover, Text } from '@mantine/core';
import { IconBell, IconBellOff } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Notification } from '../api/types';
import { attempt } from '../ui/notify';
import { Empty } from '../ui/States';
import { ago } from '../ui/time';
import classes from './Bell.module.css';
import { closeShown } from './push';
import { useNotifications, useReadAll, useReadOne } from './queries';

/** Where a notification leads. */
function placeOf(each: Notification): string | null {
  if (!each.subject_id) return null;
  switch (each.subject_kind) {
    case 'contact':
      return `/contacts/${each.subject_id}`;
    case 'task':
      return '/tasks';
    case 'queue':
      return `/dialer/${each.subject_id}`;
    case 'mailbox':
      return '/settings/mailboxes';
    case 'tracking_domain':
      return '/settings/tracking';
    case 'call':
      return '/calls';
    case 'letter':
      return '/settings/outbox';
    case 'mail_thread':
      return `/inbox/${each.subject_id}`;
    case 'alert':
      return '/floor';
    default:
      return null;
  }
}

/** What one should know: missed calls, tasks that are due, alerts. */
export function Bell() {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const query = useNotifications();
  const readOne = useReadOne();
  const readAll = useReadAll();
  const unread = query.data?.unread ?? 0;
  const list = query.data?.data ?? [];
  useEffect(() => {
    // On the icon of an installed app; most browsers have none.
    navigator.setAppBadge?.(unread).catch(() => undefined);
  }, [unread]);
  useEffect(() => {
    const read = new Set(query.data?.data.filter((each) => each.read_at).map((each) => each.id));
    closeShown((id) => read.has(id)).catch(() => undefined);
  }, [query.data]);
  const follow = (each: Notification) => {
    if (!each.read_at) attempt(readOne.mutateAsync(each.id), 'The notification is still unread');
    const place = placeOf(each);
    if (!place) return;
    setOpen(false);
    navigate(place);
  };
  return (
    <Popover opened={open} onChange={setOpen} width={340} position="right-end" shadow="md" trapFocus>
      <Indicator
        disabled={unread === 0}
        label={unread > 99 ? '99+' : unread}
        size={16}
        offset={4}
        color="red"
      >
        <Popover.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={unread ? `Notifications, ${unread} unread` : 'Notifications'}
            onClick={() => setOpen(!open)}
          >
            <IconBell size={19} stroke={1.7} />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown p={0}>
        <header className={classes.head}>
          <Text fw={600}>Notifications</Text>
          {unread > 0 && (
            <Button
              size="compact-xs"
              variant="subtle"
              loading={readAll.isPending}
              onClick={() => attempt(readAll.mutateAsync(), 'They are still unread')}
            >
              Mark all as read
            </Button>
          )}
        </header>
        {list.length === 0 ? (
          <Empty icon={<IconBellOff size={20} />} title="Nothing new">
            Missed calls and due tasks are said here.
          </Empty>
        ) : (
          <ul className={classes.list}>
            {list.map((each) => (
              <li key={each.id}>
                <button
                  type="button"
                  className={classes.item}
                  data-unread={each.read_at ? undefined : true}
                  onClick={() => follow(each)}
                >
                  <span className={classes.title}>{each.title}</span>
                  {each.body && <span className="muted">{each.body}</span>}
                  <time className="muted" dateTime={each.created_at}>
                    {ago(each.created_at)}
                  </time>
                </button>
              </li>
            ))}
          </ul>
        )}
        <footer className={classes.foot}>
          <Anchor component={Link} to="/settings/notifications" size="xs" onClick={() => setOpen(false)}>
            What you are told, and where
          </Anchor>
        </footer>
      </Popover.Dropdown>
    </Popover>
  );
}
