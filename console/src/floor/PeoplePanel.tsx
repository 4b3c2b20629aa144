import { Text } from '@mantine/core';
import { roleLabel } from '../admin/roles';
import type { Person } from '../api/types';
import { useMay, useMe } from '../app/hooks';
import { StateBadge } from '../calls/StateBadge';
import { otherEnd, otherNumber } from '../calls/states';
import { Elapsed } from '../ui/Elapsed';
import { Initials } from '../ui/Initials';
import { Panel } from '../ui/Panel';
import classes from './Floor.module.css';
import { type Group, grouped } from './people';
import { Supervise } from './Supervise';

function Row({ person }: { person: Person }) {
  const { user, call } = person;
  const me = useMe();
  const mayListen = useMay()('calls:supervise');
  const onCall = person.state === 'on_call' || person.state === 'wrap_up';
  return (
    <li className={classes.person} data-state={person.state}>
      <span className={classes.mark}>
        <Initials name={user.name} size={34} />
      </span>
      <div className={classes.text}>
        <div className="truncate" style={{ fontWeight: 600 }}>
          {user.name}
        </div>
        <Text size="xs" className="muted">
          {roleLabel(user)}
        </Text>
      </div>
      <div className={`${classes.text} ${classes.talk}`}>
        {onCall && call ? (
          <>
            <div className="truncate">{otherEnd(call)}</div>
            <Text size="xs" className="muted tabular">
              {otherNumber(call)}
            </Text>
          </>
        ) : (
          person.reason && <Text className="muted truncate">{person.reason}</Text>
        )}
      </div>
      <span className={classes.badge}>
        {onCall && call && <StateBadge call={call} />}
        {person.state === 'on_call' &&
          call?.state === 'in_progress' &&
          mayListen &&
          user.id !== me.user.id && <Supervise call={call} rep={user.name} />}
      </span>
      <span className={classes.since} title={`Since ${new Date(person.since).toLocaleTimeString()}`}>
        <Elapsed since={person.since} />
      </span>
    </li>
  );
}

function Section({ group }: { group: Group }) {
  return (
    <div className={classes.group}>
      <h3>
        {group.label} <span className="tabular">{group.people.length}</span>
      </h3>
      {group.state === 'offline' ? (
        <div className={classes.offline}>
          {group.people.map((person) => (
            <span key={person.user.id}>{person.user.name}</span>
          ))}
        </div>
      ) : (
        <ul className={classes.people} aria-label={group.label}>
          {group.people.map((person) => (
            <Row key={person.user.id} person={person} />
          ))}
        </ul>
      )}
    </div>
  );
}

/** Who is on, and what they are doing since when. */
export function PeoplePanel({ people }: { people: Person[] }) {
  return (
    <Panel title="People">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <div className={classes.scroll} role="group" aria-label="People by state" tabIndex={0}>
        {grouped(people)
          .filter((group) => group.people.length > 0)
          .map((group) => (
            <Section key={group.state} group={group} />
          ))}
      </div>
    </Panel>
  );
}
