import { Button, Group, Menu, Progress, Text } from '@mantine/core';
import { IconBrandGoogle, IconChevronDown, IconMail, IconServer } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useMembers } from '../admin/queries';
import type { Mailbox } from '../api/types';
import { isAtLeast, useMay, useMe } from '../app/hooks';
import { ToneBadge } from '../calls/StateBadge';
import type { Tone } from '../calls/states';
import { Age } from '../ui/Age';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { DisconnectMailbox } from './DisconnectMailbox';
import { GiveMailbox } from './GiveMailbox';
import { isOwnerGone, rests } from './giving';
import { MailboxEditor } from './MailboxEditor';
import { useConnectGoogle, useDriveMailbox, useMailboxes, useReconnect } from './mail';
import { PrivacyRules } from './PrivacyRules';
import { ServerMailbox } from './ServerMailbox';
import classes from './Settings.module.css';

const TONES: Record<Mailbox['meter']['state'], [string, Tone]> = {
  current: ['Up to date', 'good'],
  behind: ['Behind', 'warn'],
  unmeasured: ['Not measured yet', 'plain'],
  stale: ['Not measured lately', 'warn'],
  first_sync: ['Taking in older mail', 'plain'],
  failing: ['Failing', 'bad'],
  revoked: ['Access withdrawn', 'bad'],
  paused: ['Paused', 'plain'],
  disconnected: ['Disconnected', 'plain'],
};

const SEEN_BY: Record<Mailbox['visibility'], string> = {
  private: 'only its owner sees its mail',
  team: 'the team sees its mail',
  everyone: 'everyone sees its mail',
};

/** Why a mailbox rests, and what can be done about it. */
function Resting({ mailbox, mayGive }: { mailbox: Mailbox; mayGive: boolean }) {
  const { name } = mailbox.user;
  return (
    <div className={classes.notice} style={{ flexBasis: '100%' }} role="status">
      <Text size="sm">
        {name} is no active member, and nobody else sees this mail: nothing is taken in or sent.
      </Text>
      <Text size="xs" className="muted">
        {mayGive ? (
          <>
            Give the mailbox to a colleague, or let {name} be active again under{' '}
            <Link to="/members">Members</Link>. It goes on by itself then.
          </>
        ) : (
          <>An admin can give it to a colleague, or let {name} be active again. It goes on by itself then.</>
        )}
      </Text>
    </div>
  );
}

/** How far it is, as measured at the provider: never green without a measurement. */
function Meter({ mailbox }: { mailbox: Mailbox }) {
  const { meter } = mailbox;
  const { first_sync: first } = meter;
  const share = first.total ? Math.min(100, (first.done / first.total) * 100) : null;
  return (
    <div style={{ flexBasis: '100%' }}>
      <Text size="xs" className="muted" role="status">
        {meter.words}
        {meter.measured_at && (
          <>
            {' '}
            · measured <Age polled updatedAt={Date.parse(meter.measured_at)} />
          </>
        )}
      </Text>
      {first.state === 'running' && share !== null && (
        <Progress
          mt={6}
          size="sm"
          value={share}
          aria-label={`Older mail: ${first.done.toLocaleString()} of ${first.total?.toLocaleString()}`}
        />
      )}
      {mailbox.stopped_reason && (
        <Text size="xs" role="alert" style={{ color: 'var(--rs-bad)' }}>
          {mailbox.stopped_reason}
        </Text>
      )}
      {mailbox.error && (
        <Text size="xs" style={{ color: 'var(--rs-bad)' }}>
          {mailbox.error}
        </Text>
      )}
    </div>
  );
}

type Doing = 'edit' | 'give' | 'privacy' | 'disconnect' | 'password';

type RowProps = { mailbox: Mailbox; ownerIsGone: boolean; onDo: (what: Doing) => void };

function Row({ mailbox, ownerIsGone, onDo }: RowProps) {
  const me = useMe();
  const drive = useDriveMailbox();
  const reconnect = useReconnect();
  const atRest = rests(mailbox, ownerIsGone);
  const [word, tone]: [string, Tone] = atRest ? ['Resting', 'warn'] : TONES[mailbox.meter.state];
  const mine = mailbox.user.id === me.user.id;
  const may = mine || isAtLeast(me.role, 'admin');
  const mayGive = mine || (ownerIsGone && isAtLeast(me.role, 'admin'));
  const broken = mailbox.state === 'revoked';
  const halted = mailbox.state === 'paused' || mailbox.stopped_reason !== null;
  const run = (what: 'sync' | 'pause' | 'resume') =>
    attempt(drive.mutateAsync({ id: mailbox.id, what }), 'The mailbox did not change');
  const mend = () =>
    mailbox.kind === 'gmail'
      ? attempt(reconnect.mutateAsync(mailbox.id), 'Google could not be asked')
      : onDo('password');
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={600} className="truncate">
          {mailbox.address}
        </Text>
        <Text size="xs" className="muted">
          {mine ? 'Yours' : mailbox.user.name}
          {mailbox.team && `, for ${mailbox.team.name}`} · {SEEN_BY[mailbox.visibility]}
        </Text>
      </div>
      <ToneBadge tone={tone}>{word}</ToneBadge>
      {may && broken && (
        <Button size="compact-sm" loading={reconnect.isPending} onClick={mend}>
          Connect again
        </Button>
      )}
      {atRest && mayGive && (
        <Button size="compact-sm" variant="light" onClick={() => onDo('give')}>
          Give to…
        </Button>
      )}
      {may && halted && !broken && !atRest && (
        <Button size="compact-sm" variant="light" loading={drive.isPending} onClick={() => run('resume')}>
          Go on
        </Button>
      )}
      {may && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              rightSection={<IconChevronDown size={14} aria-hidden />}
              aria-label={`More for ${mailbox.address}`}
            >
              More
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => onDo('edit')}>Change…</Menu.Item>
            <Menu.Item onClick={() => onDo('privacy')}>Private mail…</Menu.Item>
            {mayGive && <Menu.Item onClick={() => onDo('give')}>Give to a colleague…</Menu.Item>}
            {!atRest && <Menu.Item onClick={() => run('sync')}>Compare with the provider now</Menu.Item>}
            {!halted && <Menu.Item onClick={() => run('pause')}>Pause</Menu.Item>}
            <Menu.Item color="red" onClick={() => onDo('disconnect')}>
              Disconnect…
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {atRest ? <Resting mailbox={mailbox} mayGive={mayGive} /> : <Meter mailbox={mailbox} />}
    </li>
  );
}

/** What Google's consent has come to, when the browser has just come back from it. */
function Returned() {
  const [params, setParams] = useSearchParams();
  const problem = params.get('problem');
  if (!problem && !params.get('connected')) return null;
  return (
    <div className={classes.notice} role={problem ? 'alert' : 'status'}>
      <Group justify="space-between" wrap="nowrap">
        <Text>{problem ?? 'The mailbox is connected. Its mail is being taken in, newest first.'}</Text>
        <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setParams({})}>
          Dismiss
        </Button>
      </Group>
    </div>
  );
}

/** One's own mailboxes and those one may see, each with how far it is behind its provider. */
export default function MailboxesPanel() {
  const mayHide = useMay()('settings:write');
  const query = useMailboxes();
  const members = useMembers().data?.data ?? [];
  const google = useConnectGoogle();
  const [adding, setAdding] = useState(false);
  const [doing, setDoing] = useState<{ what: Doing; id: string } | null>(null);
  const [company, setCompany] = useState(false);
  const connect = () => attempt(google.mutateAsync({ since_days: 90 }), 'Gmail could not be connected');
  const mailboxes = query.data?.data ?? [];
  const chosen = mailboxes.find((each) => each.id === doing?.id);
  const close = () => setDoing(null);
  const buttons = (
    <Group gap="xs" justify="flex-end">
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconBrandGoogle size={14} aria-hidden />}
        loading={google.isPending}
        onClick={connect}
      >
        Connect Gmail
      </Button>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconServer size={14} aria-hidden />}
        onClick={() => setAdding(true)}
      >
        Other mail
      </Button>
    </Group>
  );
  return (
    <>
      <Returned />
      <Panel title="Mailboxes" aside={mailboxes.length > 0 ? buttons : undefined}>
        {query.isPending && <Loading />}
        {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
        {query.isSuccess && mailboxes.length === 0 && (
          <Empty icon={<IconMail size={20} />} title="No mailbox is connected" action={buttons}>
            Connect yours to write to contacts from here, to see their answers, and to run sequences.
          </Empty>
        )}
        <ul className={classes.rows} aria-label="Mailboxes">
          {mailboxes.map((mailbox) => (
            <Row
              key={mailbox.id}
              mailbox={mailbox}
              ownerIsGone={isOwnerGone(mailbox, members)}
              onDo={(what) => setDoing({ what, id: mailbox.id })}
            />
          ))}
        </ul>
      </Panel>
      {mayHide && (
        <Panel
          title="Private for the whole company"
          aside={
            <Button size="compact-sm" variant="default" onClick={() => setCompany(true)}>
              Change
            </Button>
          }
        >
          <Text className="muted" p="md">
            Mail with certain addresses, domains or subjects can be kept to each mailbox’s owner, in every
            mailbox.
          </Text>
        </Panel>
      )}
      {adding && <ServerMailbox onClose={() => setAdding(false)} />}
      {company && <PrivacyRules mailbox={null} onClose={() => setCompany(false)} />}
      {chosen && doing?.what === 'edit' && <MailboxEditor mailbox={chosen} onClose={close} />}
      {chosen && doing?.what === 'give' && <GiveMailbox mailbox={chosen} members={members} onClose={close} />}
      {chosen && doing?.what === 'privacy' && <PrivacyRules mailbox={chosen} onClose={close} />}
      {chosen && doing?.what === 'password' && <ServerMailbox address={chosen.address} onClose={close} />}
      {chosen && doing?.what === 'disconnect' && <DisconnectMailbox mailbox={chosen} onClose={close} />}
    </>
  );
}
