import { Button, Text } from '@mantine/core';
import { IconMailForward } from '@tabler/icons-react';
import { ToneBadge } from '../calls/StateBadge';
import type { Tone } from '../calls/states';
import { Ago } from '../ui/Elapsed';
import { notifyDone, notifyFailure } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import classes from './Admin.module.css';
import { type Invitation, useInvitations, useSendAgain, useWithdraw } from './joining';

const STATES: Record<Invitation['state'], { label: string; tone: Tone }> = {
  open: { label: 'Open', tone: 'good' },
  expired: { label: 'Expired', tone: 'plain' },
  accepted: { label: 'Accepted', tone: 'plain' },
  withdrawn: { label: 'Withdrawn', tone: 'plain' },
};
/** Settled ones are of interest for a while only. */
const SETTLED_SHOWN = 5;

function asWhat(invitation: Invitation): string {
  const role = invitation.role_name ?? invitation.role;
  const teams = invitation.teams.map((team) => team.name);
  return teams.length > 0 ? `as ${role}, in ${teams.join(', ')}` : `as ${role}`;
}

function When({ invitation }: { invitation: Invitation }) {
  if (invitation.accepted_at) {
    return (
      <>
        joined <Ago at={invitation.accepted_at} />
      </>
    );
  }
  if (invitation.withdrawn_at) {
    return (
      <>
        withdrawn <Ago at={invitation.withdrawn_at} />
      </>
    );
  }
  return (
    <span title={`Good until ${moment(invitation.expires_at)}`}>
      sent <Ago at={invitation.sent_at} />
      {invitation.invited_by && ` by ${invitation.invited_by.name}`}
    </span>
  );
}

function Line({ invitation }: { invitation: Invitation }) {
  const again = useSendAgain();
  const withdraw = useWithdraw();
  const isOpen = invitation.state === 'open' || invitation.state === 'expired';
  const { label, tone } = STATES[invitation.state];
  return (
    <li className={classes.invitation}>
      <div className={classes.grow}>
        <Text fw={600} className="truncate">
          {invitation.name || invitation.email}
        </Text>
        <Text size="xs" className="muted">
          {invitation.name && `${invitation.email} · `}
          {asWhat(invitation)} · <When invitation={invitation} />
        </Text>
      </div>
      <ToneBadge tone={tone}>{label}</ToneBadge>
      {isOpen && (
        <div className={classes.acts}>
          <Button
            size="compact-sm"
            variant="subtle"
            loading={again.isPending}
            onClick={() =>
              again.mutate(invitation.id, {
                onSuccess: () => notifyDone(`Another letter is on its way to ${invitation.email}`),
                onError: (error) => notifyFailure('It could not be sent again', error),
              })
            }
          >
            Send again
          </Button>
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            loading={withdraw.isPending}
            onClick={() =>
              withdraw.mutate(invitation.id, {
                onError: (error) => notifyFailure('It could not be withdrawn', error),
              })
            }
          >
            Withdraw
          </Button>
        </div>
      )}
    </li>
  );
}

/** Who was asked to join, and what came of it. */
export function Invitations({ onInvite }: { onInvite: () => void }) {
  const query = useInvitations();
  const all = query.data?.data ?? [];
  const open = all.filter((each) => each.state === 'open' || each.state === 'expired');
  const settled = all.filter((each) => each.state === 'accepted' || each.state === 'withdrawn');
  return (
    <Panel title="Invitations">
      {query.isPending && <Loading rows={2} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.data && all.length === 0 && (
        <Empty
          icon={<IconMailForward size={20} />}
          title="Nobody is invited just now"
          action={
            <Button variant="default" onClick={onInvite}>
              Invite somebody
            </Button>
          }
        >
          A colleague gets a letter with a link, chooses a password, and is in.
        </Empty>
      )}
      {all.length > 0 && (
        <ul className={classes.list} aria-label="Invitations">
          {[...open, ...settled.slice(0, SETTLED_SHOWN)].map((each) => (
            <Line key={each.id} invitation={each} />
          ))}
        </ul>
      )}
    </Panel>
  );
}
