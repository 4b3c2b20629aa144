import { Button, Text } from '@mantine/core';
import { ToneBadge } from '../calls/StateBadge';
import { Ago } from '../ui/Elapsed';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import { type AccountSession, useEndOthers, useEndSession, useSessions } from './account';
import classes from './Settings.module.css';

const BY: Record<string, string> = {
  password: 'by password',
  'password+totp': 'by password and code',
  'password+recovery_code': 'by password and recovery code',
  'password+passkey': 'by password and passkey',
  passkey: 'by passkey',
  sso: 'by single sign-on',
};

function Row({ session }: { session: AccountSession }) {
  const end = useEndSession();
  const go = () =>
    attempt(end.mutateAsync(session.id), 'The session goes on', () =>
      notifyDone(`${session.device} is signed out`),
    );
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={550}>{session.device}</Text>
        <Text size="xs" className="muted">
          {session.address || 'Unknown address'} · {session.company} · last used{' '}
          <Ago at={session.last_used_at} />
        </Text>
        <Text size="xs" className="muted">
          Signed in {moment(session.created_at)} {BY[session.method]}
        </Text>
      </div>
      {session.current ? (
        <ToneBadge tone="good">This one</ToneBadge>
      ) : (
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          loading={end.isPending}
          aria-label={`End the session of ${session.device}`}
          onClick={go}
        >
          End
        </Button>
      )}
    </li>
  );
}

/** Where one is signed in; each can be ended, and is within a second. */
export function SessionsPart() {
  const query = useSessions();
  const endOthers = useEndOthers();
  const all = query.data?.data ?? [];
  const go = () =>
    attempt(endOthers.mutateAsync(), 'The other sessions go on', ({ ended }) =>
      notifyDone(ended === 1 ? 'One session is ended' : `${ended} sessions are ended`),
    );
  const button = all.some((session) => !session.current) && (
    <Button size="compact-sm" variant="default" loading={endOthers.isPending} onClick={go}>
      End all others
    </Button>
  );
  return (
    <Panel title="Where you are signed in" aside={button}>
      {query.isPending && <Loading rows={3} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      <ul className={classes.rows} aria-label="Sessions">
        {all.map((session) => (
          <Row key={session.id} session={session} />
        ))}
      </ul>
    </Panel>
  );
}
