import { Alert, Text } from '@mantine/core';
import { inWords } from '../api/errors';
import classes from './Billing.module.css';
import type { useEffects } from './queries';

type Effects = NonNullable<ReturnType<typeof useEffects>['data']>;

function List({ label, effects }: { label: string; effects: Effects['rests'] }) {
  return (
    <ul className={classes.effects} aria-label={label}>
      {effects.map((each) => (
        <li key={each.feature}>
          <Text fw={600} size="sm">
            {each.title}
          </Text>
          <Text size="sm">{each.words}</Text>
        </li>
      ))}
    </ul>
  );
}

/** What another plan puts to rest of what is in use, and what it brings back; nothing where nothing changes. */
export function PlanEffects({ title, query }: { title: string; query: ReturnType<typeof useEffects> }) {
  if (query.isError)
    return (
      <Alert color="red" role="alert" mb="md">
        {inWords(query.error)}
      </Alert>
    );
  const { rests = [], back = [] } = query.data ?? {};
  return (
    <>
      {rests.length > 0 && (
        <section className={classes.note}>
          <Text fw={650}>{title} does not have everything you use</Text>
          <List label="What rests" effects={rests} />
          <Text size="sm" className="muted">
            Nothing is deleted: what rests comes back with a plan that has it.
          </Text>
        </section>
      )}
      {back.length > 0 && (
        <section className={classes.note} data-good>
          <Text fw={650}>{title} brings back what rests now</Text>
          <List label="What comes back" effects={back} />
        </section>
      )}
    </>
  );
}
