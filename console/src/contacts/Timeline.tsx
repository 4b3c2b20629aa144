import { Button, Text, Textarea, Title } from '@mantine/core';
import { getHotkeyHandler } from '@mantine/hooks';
import {
  IconCalendarEvent,
  IconCheckbox,
  IconInfoCircle,
  IconMail,
  IconMessage,
  IconNote,
  IconPhone,
} from '@tabler/icons-react';
import { type ComponentType, useId, useState } from 'react';
import type { Activity } from '../api/types';
import { CallInWords } from '../calls/CallInWords';
import { MailInWords } from '../mail/MailInWords';
import { MeetingInWords } from '../meetings/MeetingInWords';
import { Age } from '../ui/Age';
import { Ago } from '../ui/Elapsed';
import { notifyFailure } from '../ui/notify';
import { Failure, Loading } from '../ui/States';
import classes from './ContactPanel.module.css';
import { useAddNote, useTimeline } from './queries';

const ICONS: Record<Activity['kind'], ComponentType<{ size: number; stroke: number }>> = {
  call: IconPhone,
  email: IconMail,
  sms: IconMessage,
  note: IconNote,
  task: IconCheckbox,
  system: IconInfoCircle,
  meeting: IconCalendarEvent,
};

const DEEDS: Record<Activity['kind'], string> = {
  call: 'called',
  email: 'sent an email',
  sms: 'sent a text message',
  note: 'wrote a note',
  task: 'set a task',
  system: '',
  meeting: 'set a meeting',
};

const MAIL_DEEDS: Record<NonNullable<Activity['mail']>['kind'], string> = {
  human: 'wrote an email',
  auto_reply: 'answered automatically',
  out_of_office: 'are out of the office',
  bounce: 'could not be reached by email',
  complaint: 'complained about an email',
  calendar: 'sent an invitation',
  bulk: 'sent a circular',
};

function NoteComposer({ contactId }: { contactId: string }) {
  const [text, setText] = useState('');
  const add = useAddNote(contactId);
  const save = () => {
    const body = text.trim();
    if (!body || add.isPending) return;
    add.mutate(body, {
      onSuccess: () => setText(''),
      onError: (error) => notifyFailure('The note could not be saved', error),
    });
  };
  return (
    <div className={classes.note}>
      <Textarea
        aria-label="Note"
        placeholder="Write a note"
        autosize
        minRows={2}
        maxRows={10}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={getHotkeyHandler([['mod+Enter', save]])}
      />
      {text.trim() && (
        <div className={classes.noteFoot}>
          <Text size="xs" className="muted">
            Ctrl or Cmd + Enter saves
          </Text>
          <Button size="compact-sm" onClick={save} loading={add.isPending}>
            Save note
          </Button>
        </div>
      )}
    </div>
  );
}

function Item({ activity }: { activity: Activity }) {
  const Icon = ICONS[activity.kind];
  const inbound = activity.mail?.direction === 'inbound' || activity.meeting?.direction === 'inbound';
  const who = inbound ? 'They' : (activity.actor?.name ?? 'Ringside');
  return (
    <li className={classes.item}>
      <span className={classes.itemIcon} aria-hidden>
        <Icon size={15} stroke={1.8} />
      </span>
      <div>
        <div className={classes.itemHead}>
          <span>
            {activity.kind === 'system' ? (
              activity.body
            ) : (
              <>
                <Text component="span" fw={600}>
                  {who}
                </Text>{' '}
                {activity.mail && inbound ? MAIL_DEEDS[activity.mail.kind] : DEEDS[activity.kind]}
              </>
            )}
          </span>
          <Ago at={activity.at} />
        </div>
        {activity.call && <CallInWords call={activity.call} />}
        {activity.mail && <MailInWords mail={activity.mail} />}
        {activity.meeting && <MeetingInWords meeting={activity.meeting} />}
        {activity.body &&
          !activity.mail &&
          !activity.meeting &&
          activity.kind !== 'system' &&
          activity.body !== activity.call?.note && <div className={classes.itemBody}>{activity.body}</div>}
      </div>
    </li>
  );
}

/** What happened with this contact, newest first, and a place to add to it. */
export function Timeline({ contactId }: { contactId: string }) {
  const id = useId();
  const query = useTimeline(contactId);
  const items = query.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <section className={classes.history} aria-labelledby={id}>
      <div className={classes.noteFoot}>
        <Title order={3} id={id}>
          Timeline
        </Title>
        <Age updatedAt={query.dataUpdatedAt} />
      </div>
      <NoteComposer contactId={contactId} />
      {query.isPending && <Loading rows={4} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && items.length === 0 && (
        <Text className="muted">Nothing yet. A call or a note is the first entry.</Text>
      )}
      <ul className={classes.items}>
        {items.map((activity) => (
          <Item key={activity.id} activity={activity} />
        ))}
      </ul>
      {query.hasNextPage && (
        <Button
          variant="subtle"
          mt="md"
          loading={query.isFetchingNextPage}
          onClick={() => query.fetchNextPage()}
        >
          Show earlier
        </Button>
      )}
    </section>
  );
}
