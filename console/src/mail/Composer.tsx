import { ActionIcon, Button, FileButton, Group, Menu, Pill, Select, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconChevronDown, IconPaperclip, IconSend, IconTrash } from '@tabler/icons-react';
import type { Editor as Tiptap } from '@tiptap/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { inWords } from '../api/errors';
import type { MailDraft } from '../api/types';
import { useMailboxes } from '../settings/mail';
import { attempt, notifyFailure } from '../ui/notify';
import { Failure, Loading } from '../ui/States';
import { useAttach, useDraft, useDropDraft, useSaveDraft, useSendDraft } from './drafts';
import { Editor } from './Editor';
import classes from './Inbox.module.css';
import { LATER } from './later';
import { Recipients } from './Recipients';
import { sentNotice } from './sentNotice';
import { TemplateMenu } from './TemplateMenu';
import { useWriting } from './writing';

type Fields = Pick<MailDraft, 'to' | 'cc' | 'bcc' | 'subject' | 'html'>;
type Props = { draftId: string; isReply?: boolean; onClose: () => void };

const SAVE_MS = 700;

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function Form({ draft, isReply, onClose }: { draft: MailDraft } & Omit<Props, 'draftId'>) {
  const mailboxes = (useMailboxes().data?.data ?? []).filter((each) => each.state !== 'disconnected');
  const save = useSaveDraft(draft.id);
  const drop = useDropDraft();
  const send = useSendDraft();
  const attach = useAttach(draft.id);
  const [fields, setFields] = useState<Fields>(draft);
  const [copies, setCopies] = useState(draft.cc.length + draft.bcc.length > 0);
  const changed = useRef<Partial<Fields>>({});
  const editor = useRef<Tiptap | null>(null);
  const claimed = useWriting(draft.thread_id);

  const flush = useCallback(async () => {
    const body = changed.current;
    if (Object.keys(body).length === 0) return;
    changed.current = {};
    try {
      await save.mutateAsync(body);
    } catch (error) {
      changed.current = { ...body, ...changed.current };
      throw error;
    }
  }, [save]);
  const soon = useDebouncedCallback(() => void flush().catch(() => undefined), SAVE_MS);
  const set = (change: Partial<Fields>) => {
    changed.current = { ...changed.current, ...change };
    setFields((before) => ({ ...before, ...change }));
    soon();
  };
  const go = async (sendAt?: string) => {
    if (send.isPending) return;
    try {
      await flush();
      const sent = await send.mutateAsync({ id: draft.id, ...(sendAt ? { sendAt } : {}) });
      onClose();
      sentNotice(sent);
    } catch (error) {
      notifyFailure('The mail was not sent', error);
    }
  };
  const close = () => {
    void flush().catch((error) => notifyFailure('The draft was not saved', error));
    onClose();
  };
  return (
    <section className={classes.composer} aria-label={isReply ? 'Your answer' : 'New mail'}>
      {claimed && (
        <Text size="sm" role="alert" className={classes.claimed}>
          {claimed} is writing to them just now. You may both answer.
        </Text>
      )}
      {mailboxes.length > 1 && (
        <Select
          label="From"
          size="sm"
          allowDeselect={false}
          data={mailboxes.map((each) => ({ value: each.id, label: each.address }))}
          value={draft.mailbox.id}
          onChange={(mailbox_id) =>
            mailbox_id && attempt(save.mutateAsync({ mailbox_id }), 'The mailbox did not change')
          }
        />
      )}
      <Group align="end" gap="xs" wrap="nowrap">
        <div style={{ flex: 1, minWidth: 0 }}>
          <Recipients
            label="To"
            autoFocus={!isReply && fields.to.length === 0}
            value={fields.to}
            onChange={(to) => set({ to })}
          />
        </div>
        {!copies && (
          <Button size="compact-sm" variant="subtle" color="gray" mb={6} onClick={() => setCopies(true)}>
            Copies
          </Button>
        )}
      </Group>
      {copies && (
        <>
          <Recipients label="Cc" value={fields.cc} onChange={(cc) => set({ cc })} />
          <Recipients label="Bcc" value={fields.bcc} onChange={(bcc) => set({ bcc })} />
        </>
      )}
      {!isReply && (
        <TextInput
          label="Subject"
          size="sm"
          maxLength={998}
          value={fields.subject}
          onChange={(event) => set({ subject: event.currentTarget.value })}
        />
      )}
      <Editor
        label="Text of the mail"
        html={draft.html}
        autoFocus={isReply || fields.to.length > 0}
        onChange={(html) => set({ html })}
        onSend={() => void go()}
        onReady={(ready) => {
          editor.current = ready;
        }}
        tools={
          <TemplateMenu
            draftId={draft.id}
            contactId={draft.contact?.id ?? null}
            mailboxId={draft.mailbox.id}
            onPick={(rendered) => {
              editor.current?.chain().focus('start').insertContent(rendered.html).run();
              if (!isReply && !fields.subject && rendered.subject) set({ subject: rendered.subject });
            }}
          />
        }
      />
      {draft.attachments.length > 0 && (
        <Group gap={6} aria-label="Attachments">
          {draft.attachments.map((file) => (
            <Pill
              key={file.id}
              withRemoveButton
              removeButtonProps={{
                'aria-label': `Remove ${file.filename}`,
                'aria-hidden': false,
                tabIndex: 0,
              }}
              onRemove={() =>
                attempt(
                  save.mutateAsync({
                    attachments: draft.attachments
                      .filter((each) => each.id !== file.id)
                      .map((each) => each.id),
                  }),
                  'The file is still attached',
                )
              }
            >
              {file.filename} · {size(file.size)}
            </Pill>
          ))}
        </Group>
      )}
      <Group gap="xs" justify="space-between">
        <Group gap={0}>
          <Button
            leftSection={<IconSend size={16} aria-hidden />}
            loading={send.isPending}
            disabled={fields.to.length === 0}
            style={{ borderTopRightRadius: 0, borderBottomRightRadius: 0 }}
            onClick={() => void go()}
          >
            Send
          </Button>
          <Menu position="top-start">
            <Menu.Target>
              <Button
                aria-label="Send later"
                px={8}
                disabled={fields.to.length === 0}
                style={{ borderTopLeftRadius: 0, borderBottomLeftRadius: 0, borderLeft: '1px solid #fff4' }}
              >
                <IconChevronDown size={16} aria-hidden />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>Send later</Menu.Label>
              {LATER.map((choice) => (
                <Menu.Item key={choice.label} onClick={() => void go(choice.at().toISOString())}>
                  {choice.label}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        </Group>
        <Text size="xs" className="muted" role="status" style={{ flex: 1 }}>
          {save.isPending || attach.isPending ? 'Saving…' : save.error ? inWords(save.error) : ''}
        </Text>
        <FileButton
          onChange={(file) => file && attempt(attach.mutateAsync(file), `${file.name} was not attached`)}
        >
          {(props) => (
            <ActionIcon {...props} variant="subtle" color="gray" size="lg" aria-label="Attach a file">
              <IconPaperclip size={18} />
            </ActionIcon>
          )}
        </FileButton>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label="Throw the draft away"
          onClick={() => attempt(drop.mutateAsync(draft.id), 'The draft is still there', onClose)}
        >
          <IconTrash size={18} />
        </ActionIcon>
        <Button variant="subtle" color="gray" onClick={close}>
          Close
        </Button>
      </Group>
    </section>
  );
}

/** A mail being written. What is typed is saved as it goes; closing keeps the draft. */
export function Composer({ draftId, ...rest }: Props) {
  const query = useDraft(draftId);
  const { onClose } = rest;
  const gone = query.data && query.data.state !== 'draft';
  useEffect(() => {
    if (gone) onClose();
  }, [gone, onClose]);
  if (query.isPending) return <Loading rows={4} />;
  if (query.isError) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return <Form key={draftId} draft={query.data} {...rest} />;
}
