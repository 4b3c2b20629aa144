import { Button, Text } from '@mantine/core';
import { Ago } from '../ui/Elapsed';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import classes from './Settings.module.css';
import { type KnownMember, type Sso, useDisconnectMember } from './sso';

function Row({ member }: { member: KnownMember }) {
  const disconnect = useDisconnectMember();
  const go = () =>
    attempt(disconnect.mutateAsync(member.id), `${member.name} stays connected`, () =>
      notifyDone(`${member.name} is disconnected`),
    );
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={550}>{member.name}</Text>
        <Text size="xs" className="muted">
          {member.email}
          {member.last_used_at && (
            <>
              {' '}
              · last came through <Ago at={member.last_used_at} />
            </>
          )}
        </Text>
      </div>
      <Button
        size="compact-sm"
        variant="subtle"
        color="red"
        aria-label={`Disconnect ${member.name}`}
        loading={disconnect.isPending}
        onClick={go}
      >
        Disconnect
      </Button>
    </li>
  );
}

/** Whom the provider knows. An address that became somebody else’s there is freed by disconnecting. */
export function SsoPeople({ sso }: { sso: Sso }) {
  if (sso.connected.length === 0) return null;
  const more = sso.connected_count - sso.connected.length;
  return (
    <Panel title="People known to the provider">
      <ul className={classes.rows} aria-label="People known to the provider">
        {sso.connected.map((member) => (
          <Row key={member.id} member={member} />
        ))}
      </ul>
      <Text size="xs" className="muted" p="md" pt={8}>
        {more > 0 && `${more} more are not shown. `}
        Disconnect somebody when their address has become somebody else’s at the provider. They are recognised
        by their address again the next time they sign in.
      </Text>
    </Panel>
  );
}
