import { ActionIcon } from '@mantine/core';
import { IconEar, IconMessageCircle, IconPhoneCalling, IconUsers, IconX } from '@tabler/icons-react';
import type { Call, CallLeg } from '../api/types';
import { readable } from '../contacts/naming';
import { attempt } from '../ui/notify';
import classes from './CallBar.module.css';
import { useRemoveParticipant } from './controls';

const MODES: Record<NonNullable<CallLeg['mode']>, string> = {
  listen: 'is listening',
  whisper: 'can whisper to you',
  barge: 'is in the call',
};

function Icon({ leg }: { leg: CallLeg }) {
  if (leg.mode === 'listen') return <IconEar size={15} stroke={1.8} aria-hidden />;
  if (leg.mode === 'whisper') return <IconMessageCircle size={15} stroke={1.8} aria-hidden />;
  if (leg.state !== 'joined') return <IconPhoneCalling size={15} stroke={1.8} aria-hidden />;
  return <IconUsers size={15} stroke={1.8} aria-hidden />;
}

function words(leg: CallLeg): string {
  const name = leg.user?.name ?? (leg.phone ? readable(leg.phone) : 'Somebody');
  if (leg.error) return `${name}: ${leg.error}`;
  if (leg.state !== 'joined') return `${name} is being called`;
  return leg.mode ? `${name} ${MODES[leg.mode]}` : `${name} is in the call`;
}

/** Who else is in the call, so that nobody is heard without knowing. */
export function Legs({ call }: { call: Call }) {
  const remove = useRemoveParticipant();
  const others = call.legs.filter((leg) => leg.kind !== 'rep' && leg.state !== 'left');
  if (others.length === 0) return null;
  return (
    <ul className={classes.legs} aria-label="Also in this call">
      {others.map((leg) => (
        <li key={leg.id} data-kind={leg.kind}>
          <Icon leg={leg} />
          {words(leg)}
          {leg.kind === 'colleague' && (
            <ActionIcon
              size="xs"
              variant="subtle"
              color="gray"
              aria-label={`Remove ${leg.user?.name ?? leg.phone}`}
              onClick={() =>
                attempt(remove.mutateAsync({ id: call.id, leg_id: leg.id }), 'They could not be removed')
              }
            >
              <IconX size={12} />
            </ActionIcon>
          )}
        </li>
      ))}
    </ul>
  );
}
