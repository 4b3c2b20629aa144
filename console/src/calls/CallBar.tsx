import { Button, Tooltip } from '@mantine/core';
import { IconPhoneOff } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Call } from '../api/types';
import { useMe } from '../app/hooks';
import { isLive } from '../live/reduce/shared';
import { Elapsed } from '../ui/Elapsed';
import { useHotkeys } from '../ui/hotkeys';
import { Initials } from '../ui/Initials';
import { attempt, notifyFailure } from '../ui/notify';
import classes from './CallBar.module.css';
import { Controls } from './Controls';
import { Legs } from './Legs';
import { useMyPerson, useSetPresence } from './presence';
import { useDispositions, useHangUp, useLastCall } from './queries';
import { StateBadge } from './StateBadge';
import { otherEnd, otherNumber, stateTone, stateWords } from './states';
import { TalkNote } from './TalkNote';
import { WrapUp } from './WrapUp';

function Line({ call }: { call: Call }) {
  const hangUp = useHangUp();
  const name = otherEnd(call);
  const live = isLive(call);
  const end = () => {
    if (!live || hangUp.isPending) return;
    hangUp.mutate(call.id, { onError: (error) => notifyFailure('The call could not be ended', error) });
  };
  // With Ctrl or Cmd, so that nobody hangs up by typing; from the note, too.
  useHotkeys([['mod+E', end]], []);
  return (
    <div className={classes.line}>
      <span className={classes.hideOnPhone}>
        <Initials name={name} size={38} />
      </span>
      <div className={classes.who}>
        <div className="truncate">
          {call.contact_id ? (
            <Link to={`/contacts/${call.contact_id}`}>{name}</Link>
          ) : (
            <strong>{name}</strong>
          )}
        </div>
        <div className={`${classes.number} muted tabular`}>{otherNumber(call)}</div>
      </div>
      <span className={classes.state}>
        <StateBadge call={call} />
      </span>
      <span className={classes.timer} role="timer" aria-label="Duration">
        <Elapsed since={call.answered_at ?? call.started_at} until={call.ended_at} />
      </span>
      {live && (
        <Tooltip label="Hang up (Ctrl E)">
          <Button
            color="red"
            leftSection={<IconPhoneOff size={17} aria-hidden />}
            loading={hangUp.isPending}
            onClick={end}
          >
            Hang up
          </Button>
        </Tooltip>
      )}
    </div>
  );
}

/** Whether a call that ended still waits for its disposition: the server says so, or it was live here. */
function useInWrapUp(call: Call | null | undefined, seenLive: string | null): boolean {
  const person = useMyPerson();
  if (!call || isLive(call) || call.disposition) return false;
  return (
    seenLive === call.id || (person?.state === 'wrap_up' && (!person.call || person.call.id === call.id))
  );
}

/** The wrap-up of a call that is a colleague's by now: there is nothing to choose, only to be done with it. */
function HandedOver() {
  const me = useMe();
  const person = useMyPerson();
  const presence = useSetPresence();
  const call = person?.state === 'wrap_up' && person.call?.user_id !== me.user.id ? person.call : null;
  const free = () => attempt(presence.mutateAsync('online'), 'You are still in wrap-up');
  useHotkeys([['mod+Enter', () => call && free()]]);
  if (!call) return null;
  return (
    <section className={classes.bar} aria-label="Call bar">
      <div className={classes.line}>
        <div className={classes.who}>
          <div className="truncate">{otherEnd(call)}</div>
          <div className={`${classes.number} muted`}>You handed this call over.</div>
        </div>
        <Button loading={presence.isPending} onClick={free}>
          Done
        </Button>
      </div>
    </section>
  );
}

/** The rep's own call: running, and then its wrap-up. Comes back by itself after a reload. */
export function CallBar() {
  const call = useLastCall().data;
  // Read before the first wrap-up, whose keys are to work at once.
  useDispositions();
  const [seenLive, setSeenLive] = useState<string | null>(null);
  const [done, setDone] = useState<string | null>(null);
  if (call && isLive(call) && seenLive !== call.id) setSeenLive(call.id);
  const wrapping = useInWrapUp(call, seenLive);
  const shown = call && done !== call.id && (isLive(call) || wrapping);
  return (
    <>
      <div className="visually-hidden" aria-live="assertive">
        {shown ? `${otherEnd(call)}: ${stateWords(call)}` : ''}
      </div>
      {!shown && <HandedOver />}
      {shown && (
        <section
          className={classes.bar}
          data-tone={isLive(call) ? stateTone(call) : undefined}
          aria-label="Call bar"
        >
          <Line call={call} />
          {isLive(call) && <Legs call={call} />}
          {call.state === 'in_progress' && (
            <div className={classes.talk}>
              <TalkNote key={call.id} call={call} />
              <Controls call={call} />
            </div>
          )}
          {wrapping && <WrapUp key={call.id} call={call} onDone={() => setDone(call.id)} />}
        </section>
      )}
    </>
  );
}
