import { Button, Group, Kbd, Select, Text, TextInput } from '@mantine/core';
import {
  IconHistory,
  IconPhone,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerSkipForward,
} from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { DialCard, DialSession } from '../api/types';
import { ToneBadge } from '../calls/StateBadge';
import { outcomeWords } from '../calls/states';
import { readable, words } from '../contacts/naming';
import { useHotkeys } from '../ui/hotkeys';
import { Initials } from '../ui/Initials';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { dueWords, serverNow, useSecond } from '../ui/time';
import classes from './Dialer.module.css';
import { type SessionDeed, useCallBackAt, useSessionDeed, useSkip } from './queries';
import { SESSION_STATES } from './words';

/** Whole seconds until a moment; the countdown of the next call. */
function Countdown({ until }: { until: string }) {
  useSecond();
  const left = Math.max(0, Math.ceil((Date.parse(until) - serverNow()) / 1000));
  return (
    <Text component="span" fw={600} className="tabular" role="timer">
      Dialing in {left} s
    </Text>
  );
}

/** What to call whoever a session is with. */
const CURRENT: Partial<Record<DialSession['state'], string>> = { talking: 'Now', wrap_up: 'Just now' };

/** A contact of the session; `current` once their call is placed, which counts as an attempt. */
function Card({ card, label, current = false }: { card: DialCard; label: string; current?: boolean }) {
  const { contact } = card;
  const before = card.attempts - (current ? 1 : 0);
  return (
    <section className={classes.card} aria-label={`${label}: ${contact.name}`}>
      <Initials name={contact.name} size={44} />
      <div className={classes.cardText}>
        <Text size="xs" className="muted">
          {label}
          {before > 0 && ` · called ${before === 1 ? 'once' : `${before} times`} before`}
          {before > 0 && card.last_outcome && `, last: ${outcomeWords(card.last_outcome).toLowerCase()}`}
        </Text>
        <Link to={`/contacts/${contact.id}`} className={classes.cardName}>
          {contact.name}
        </Link>
        <Text className="muted">
          {[contact.title, contact.company].filter(Boolean).join(' · ') || words(contact.stage)}
        </Text>
        <Text size="xs" className="tabular">
          {card.phone && readable(card.phone)}
          {card.local_time && ` · ${card.local_time.slice(0, 5)} there`}
          {card.callback_at && ` · wanted ${dueWords(card.callback_at)}`}
        </Text>
        {card.permit && (
          <Text size="xs" className="muted">
            {card.permit}
          </Text>
        )}
      </div>
    </section>
  );
}

const LATER = [
  { value: '900000', label: 'In 15 minutes' },
  { value: '3600000', label: 'In an hour' },
  { value: '14400000', label: 'In four hours' },
  { value: '86400000', label: 'Tomorrow at this time' },
];

function Skip({ session, onClose }: { session: DialSession; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const skip = useSkip();
  return (
    <form
      className={classes.inline}
      onSubmit={(event) => {
        event.preventDefault();
        attempt(
          skip.mutateAsync({ id: session.id, reason: reason.trim() }),
          'They were not skipped',
          onClose,
        );
      }}
    >
      <TextInput
        aria-label="Why they are skipped"
        placeholder="Why"
        data-autofocus
        autoFocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && onClose()}
      />
      <Button type="submit" variant="default" disabled={!reason.trim()} loading={skip.isPending}>
        Skip
      </Button>
    </form>
  );
}

/** The rep's own session: who is next, and the keys. D dials, S skips, P pauses or goes on. */
export function SessionPanel({ session }: { session: DialSession }) {
  const deed = useSessionDeed();
  const callBack = useCallBackAt();
  const [skipping, setSkipping] = useState(false);
  const act = (what: SessionDeed) =>
    attempt(deed.mutateAsync({ id: session.id, deed: what }), 'That did not work');
  const resting = session.state === 'paused' || session.pause_asked;
  const ready = session.state === 'ready';
  useHotkeys([
    ['d', () => ready && act('dial')],
    ['s', () => session.next && setSkipping(true)],
    ['p', () => act(resting ? 'resume' : 'pause')],
  ]);
  const [word, tone] = SESSION_STATES[session.state];
  const later = (value: string | null) => {
    if (!value) return;
    const when = new Date(serverNow() + Number(value)).toISOString();
    attempt(callBack.mutateAsync({ id: session.id, when }), 'The callback is not noted');
  };
  return (
    <Panel
      title={session.queue.name}
      aside={
        <Group gap="sm">
          {session.dial_at && ready && !resting && <Countdown until={session.dial_at} />}
          <ToneBadge tone={tone}>{word}</ToneBadge>
        </Group>
      }
    >
      <div className={classes.session}>
        {session.current.map((card) => (
          <Card key={card.item_id} card={card} current label={CURRENT[session.state] ?? 'Being called'} />
        ))}
        {session.next && <Card card={session.next} label="Next" />}
        {session.note && (
          <Text role="status" className="muted">
            {session.note}
          </Text>
        )}
        {session.lines_note && (
          <Text role="status" style={{ color: 'var(--rs-warn)' }}>
            {session.lines_note}
          </Text>
        )}
        {skipping && session.next ? (
          <Skip session={session} onClose={() => setSkipping(false)} />
        ) : (
          <Group gap="xs">
            <Button
              leftSection={<IconPhone size={16} aria-hidden />}
              disabled={!ready}
              loading={deed.isPending && deed.variables.deed === 'dial'}
              onClick={() => act('dial')}
            >
              Dial <Kbd ml={8}>D</Kbd>
            </Button>
            <Button
              variant="default"
              leftSection={<IconPlayerSkipForward size={16} aria-hidden />}
              disabled={!session.next}
              onClick={() => setSkipping(true)}
            >
              Skip <Kbd ml={8}>S</Kbd>
            </Button>
            <Button
              variant="default"
              leftSection={
                resting ? <IconPlayerPlay size={16} aria-hidden /> : <IconPlayerPause size={16} aria-hidden />
              }
              onClick={() => act(resting ? 'resume' : 'pause')}
            >
              {resting ? 'Go on' : 'Pause'} <Kbd ml={8}>P</Kbd>
            </Button>
            <Select
              aria-label="Call back later"
              placeholder="Call back later"
              leftSection={<IconHistory size={16} aria-hidden />}
              w={190}
              data={LATER}
              value={null}
              disabled={!session.next && session.current.length === 0 && !session.call_id}
              onChange={later}
            />
            <Button variant="subtle" color="gray" onClick={() => act('leave')}>
              {session.leave_asked ? 'Leaving after this call' : 'Leave'}
            </Button>
          </Group>
        )}
        <Text size="xs" className="muted tabular">
          {session.calls} {session.calls === 1 ? 'call' : 'calls'}, {session.connected} connected
          {session.lines > 1 && ` · ${session.lines_used || 1} of ${session.lines} lines`}
        </Text>
      </div>
    </Panel>
  );
}
