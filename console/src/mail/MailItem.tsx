import { ActionIcon, Badge, Button, Group, Menu, Text } from '@mantine/core';
import { IconDots, IconPaperclip } from '@tabler/icons-react';
import { useState } from 'react';
import { unwrap } from '../api/client';
import type { MailAddress, MailMessage } from '../api/types';
import { api } from '../app/services';
import { Initials } from '../ui/Initials';
import { attempt } from '../ui/notify';
import { ago, moment } from '../ui/time';
import classes from './Inbox.module.css';
import { MessageBody } from './MessageBody';
import { fileAddress } from './queries';

const KINDS: Partial<Record<MailMessage['kind'], string>> = {
  auto_reply: 'Automatic answer',
  out_of_office: 'Out of office',
  bounce: 'Not delivered',
  complaint: 'Complaint',
  calendar: 'Invitation',
  bulk: 'Circular',
};

const names = (list: MailAddress[]) => list.map((each) => each.name || each.address).join(', ');

function save(address: string, name: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

async function saveOriginal(message: MailMessage): Promise<void> {
  const path = { id: message.id };
  const answer = api.GET('/api/v1/mail/messages/{id}/original', { params: { path }, parseAs: 'blob' });
  save(URL.createObjectURL((await unwrap(answer as never)) as Blob), `${message.subject || 'message'}.eml`);
}

type Props = { message: MailMessage; open: boolean; onToggle: () => void; onReply: (all: boolean) => void };

/** One message of a thread, folded to a line until it is opened. */
export function MailItem({ message, open, onToggle, onReply }: Props) {
  const [quoted, setQuoted] = useState(false);
  const from = message.from.name || message.from.address;
  const files = message.attachments.filter((file) => !file.content_id);
  const kind = KINDS[message.kind];
  return (
    <li className={classes.item} data-unread={!message.read || undefined}>
      <div className={classes.itemHead}>
        <Initials name={from} size={34} />
        <button type="button" className={classes.itemToggle} aria-expanded={open} onClick={onToggle}>
          <span className={classes.itemFrom}>
            {from}
            {kind && (
              <Badge ml={8} size="sm" variant="light" color="gray" tt="none">
                {kind}
              </Badge>
            )}
          </span>
          <span className={`${classes.itemLine} truncate`}>
            {open ? `to ${names([...message.to, ...message.cc]) || 'nobody'}` : message.snippet}
          </span>
        </button>
        <time dateTime={message.received_at} title={moment(message.received_at)} className={classes.itemTime}>
          {ago(message.received_at)}
        </time>
        {open && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`More for the mail of ${from}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => onReply(false)}>Answer</Menu.Item>
              <Menu.Item onClick={() => onReply(true)}>Answer all</Menu.Item>
              {message.has_original && (
                <Menu.Item onClick={() => attempt(saveOriginal(message), 'It could not be saved')}>
                  Save the original
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      {open && (
        <div className={classes.itemBody}>
          <MessageBody message={message} quoted={quoted} />
          {message.quoted_html && (
            <Button
              size="compact-xs"
              variant="default"
              mt={8}
              aria-expanded={quoted}
              onClick={() => setQuoted(!quoted)}
            >
              {quoted ? 'Hide what was written before' : 'Show what was written before'}
            </Button>
          )}
          {files.length > 0 && (
            <Group gap={6} mt="sm">
              {files.map((file) => (
                <Button
                  key={file.index}
                  size="compact-sm"
                  variant="default"
                  leftSection={<IconPaperclip size={14} aria-hidden />}
                  onClick={() =>
                    attempt(
                      fileAddress(message.id, file.index).then((address) => save(address, file.filename)),
                      `${file.filename} could not be saved`,
                    )
                  }
                >
                  {file.filename}
                </Button>
              ))}
            </Group>
          )}
          {(message.opens > 0 || message.clicks > 0) && (
            <Text size="xs" className="muted" mt={8}>
              Opened {message.opens} times by people, links clicked {message.clicks} times
            </Text>
          )}
        </div>
      )}
    </li>
  );
}
