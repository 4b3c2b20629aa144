import { ActionIcon, Badge, Button, Group, Menu, Text, Title } from '@mantine/core';
import {
  IconCalendarPlus,
  IconDots,
  IconListNumbers,
  IconMail,
  IconMessage,
  IconPencil,
  IconShieldCheck,
  IconTrash,
  IconUserOff,
  IconX,
} from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { ApiError } from '../api/errors';
import type { Contact, Phone } from '../api/types';
import { CallButton } from '../calls/CallButton';
import { usePeopleNames } from '../floor/people';
import { useWrite } from '../mail/useWrite';
import { InviteForm } from '../meetings/InviteForm';
import { ClaimNote } from '../permits/ClaimNote';
import { Consents } from '../permits/Consents';
import { PermitNote } from '../permits/PermitNote';
import { ContactSequences, EnrolContact } from '../sequences/ContactSequences';
import { useHotkeys } from '../ui/hotkeys';
import { Initials } from '../ui/Initials';
import { notifyFailure } from '../ui/notify';
import { Empty, Failure, Loading } from '../ui/States';
import { EditContact } from './ContactForm';
import classes from './ContactPanel.module.css';
import { useDeletion } from './deletion';
import { fullName, readable, words } from './naming';
import { useContact, useRestoreContact } from './queries';
import { Timeline } from './Timeline';

/** Kinds worth a word; most plans cannot tell a mobile from a fixed line. */
const PHONE_KINDS: Record<string, string> = {
  mobile: 'Mobile',
  fixed: 'Fixed line',
  toll_free: 'Toll-free',
  premium: 'Premium rate',
  voip: 'VoIP',
};

/** The time of day where the phone is, when that is known and elsewhere. */
function timeThere(phone: Phone): string | null {
  const zone = phone.time_zones[0];
  if (!zone || zone === Intl.DateTimeFormat().resolvedOptions().timeZone) return null;
  try {
    return new Intl.DateTimeFormat(undefined, { timeStyle: 'short', timeZone: zone }).format(new Date());
  } catch {
    return null;
  }
}

function Ways({ contact }: { contact: Contact }) {
  const write = useWrite();
  return (
    <div className={classes.block}>
      {contact.phones.map((phone) => {
        const there = timeThere(phone);
        const hints = [phone.label, PHONE_KINDS[phone.kind ?? ''], there && `${there} there`].filter(Boolean);
        return (
          <div key={phone.e164} className={classes.way}>
            <div className={classes.wayText}>
              <span className="tabular">
                {readable(phone.e164)}
                {phone.extension && ` ext. ${phone.extension}`}
              </span>
              {hints.length > 0 && (
                <Text size="xs" className="muted">
                  {hints.join(' · ')}
                </Text>
              )}
              <PermitNote contactId={contact.id} phone={phone.e164} />
            </div>
            <CallButton contactId={contact.id} phone={phone.e164} />
          </div>
        );
      })}
      {contact.emails.map((email) => (
        <div key={email.address} className={classes.way}>
          <div className={`${classes.wayText} truncate`}>
            {email.address}
            {email.label && (
              <Text size="xs" className="muted">
                {email.label}
              </Text>
            )}
          </div>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Write to ${email.address}`}
            onClick={() => write({ address: email.address, name: fullName(contact) }, contact.id)}
          >
            <IconMail size={18} stroke={1.7} />
          </ActionIcon>
        </div>
      ))}
    </div>
  );
}

function Facts({ contact }: { contact: Contact }) {
  const names = usePeopleNames();
  const facts: [string, string][] = [
    ['Owner', (contact.owner_id && names.get(contact.owner_id)) || 'Nobody'],
    ...Object.entries(contact.custom)
      .filter(([, value]) => value !== null && value !== '')
      .map(([name, value]): [string, string] => [words(name), String(value)]),
  ];
  return (
    <div className={classes.block}>
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt className="truncate" title={name}>
              {name}
            </dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {contact.tags.length > 0 && (
        <Group gap={6} mt="sm">
          {contact.tags.map((tag) => (
            <Badge key={tag} variant="default" tt="none" fw={500}>
              {tag}
            </Badge>
          ))}
        </Group>
      )}
    </div>
  );
}

function Gone({ id, onClose }: { id: string; onClose: () => void }) {
  const restore = useRestoreContact();
  const navigate = useNavigate();
  return (
    <Empty
      icon={<IconUserOff size={20} />}
      title="This contact is not here any more"
      action={
        <Group>
          <Button
            variant="default"
            loading={restore.isPending}
            onClick={() =>
              restore.mutate(id, {
                onSuccess: () => navigate(0),
                onError: (error) => notifyFailure('The contact could not be restored', error),
              })
            }
          >
            Restore
          </Button>
          <Button variant="subtle" color="gray" onClick={onClose}>
            Close
          </Button>
        </Group>
      }
    >
      It was deleted, or the address is not right.
    </Empty>
  );
}

type Doing = 'edit' | 'consent' | 'invite' | 'enrol';
type HeadProps = { contact: Contact; onClose: () => void; onDo: (what: Doing) => void };

function Head({ contact, onClose, onDo }: HeadProps) {
  const remove = useDeletion(onClose);
  const name = fullName(contact);
  return (
    <header className={classes.head}>
      <Initials name={name} size={42} />
      <div className={classes.who}>
        <Title order={2}>{name}</Title>
        <Text className="muted">
          {[contact.title, contact.company].filter(Boolean).join(' · ') || '\u00a0'}
        </Text>
        {contact.stage && (
          <Badge variant="light" tt="none" fw={550} mt={6}>
            {words(contact.stage)}
          </Badge>
        )}
      </div>
      <Group gap={2} wrap="nowrap">
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label="Edit contact"
          onClick={() => onDo('edit')}
        >
          <IconPencil size={18} stroke={1.7} />
        </ActionIcon>
        <Menu>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label="More actions">
              <IconDots size={18} stroke={1.7} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              component={Link}
              to={`/messages/${contact.id}`}
              leftSection={<IconMessage size={16} />}
            >
              Text messages
            </Menu.Item>
            {(contact.emails.length > 0 || contact.phones.length > 0) && (
              <Menu.Item leftSection={<IconListNumbers size={16} />} onClick={() => onDo('enrol')}>
                Enrol in a sequence
              </Menu.Item>
            )}
            {contact.emails.length > 0 && (
              <Menu.Item leftSection={<IconCalendarPlus size={16} />} onClick={() => onDo('invite')}>
                Invite to a meeting
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconShieldCheck size={16} />} onClick={() => onDo('consent')}>
              Consent
            </Menu.Item>
            <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => remove(contact)}>
              Delete contact
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Close contact" onClick={onClose}>
          <IconX size={18} stroke={1.7} />
        </ActionIcon>
      </Group>
    </header>
  );
}

/** One contact: ways to reach them, what is known, and what happened so far. */
export function ContactPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const query = useContact(id);
  const [doing, setDoing] = useState<Doing | null>(null);
  const done = () => setDoing(null);
  useHotkeys([['Escape', onClose]]);

  if (query.isPending) {
    return (
      <aside className={classes.panel} aria-label="Contact">
        <Loading rows={8} />
      </aside>
    );
  }
  if (query.isError) {
    const missing = query.error instanceof ApiError && query.error.status === 404;
    return (
      <aside className={classes.panel} aria-label="Contact">
        {missing ? (
          <Gone id={id} onClose={onClose} />
        ) : (
          <Failure error={query.error} onRetry={() => query.refetch()} />
        )}
      </aside>
    );
  }
  const contact = query.data;
  return (
    <aside className={classes.panel} aria-label={`Contact: ${fullName(contact)}`}>
      <Head contact={contact} onClose={onClose} onDo={setDoing} />
      <ClaimNote contactId={id} />
      <div className={classes.scroll}>
        <Ways contact={contact} />
        <Facts contact={contact} />
        <ContactSequences contactId={id} />
        <Timeline contactId={id} />
      </div>
      {doing === 'enrol' && <EnrolContact contact={contact} onClose={done} />}
      {doing === 'invite' && <InviteForm contact={contact} onClose={done} />}
      {doing === 'consent' && <Consents contactId={id} onClose={done} />}
      {doing === 'edit' && <EditContact id={id} onClose={done} />}
    </aside>
  );
}
