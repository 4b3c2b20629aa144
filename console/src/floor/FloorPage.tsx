import { Loader } from '@mantine/core';
import { Age } from '../ui/Age';
import { Page } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import classes from './Floor.module.css';
import { PeoplePanel } from './PeoplePanel';
import { useFloor } from './queries';
import { StreamPanel } from './StreamPanel';
import { TodayPanel } from './TodayPanel';

/** What happens on the floor right now. */
export function FloorPage() {
  const query = useFloor();
  const floor = query.data;
  return (
    <Page
      title="Floor"
      beside={floor ? <Age updatedAt={query.dataUpdatedAt} /> : <Loader size="xs" type="dots" />}
    >
      {query.isPending && <Loading rows={10} height={24} />}
      {query.isError && !floor && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {floor && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        <div className={classes.grid} role="group" aria-label="The floor now" tabIndex={0}>
          <TodayPanel today={floor.today} />
          <PeoplePanel people={floor.people} />
          <StreamPanel floor={floor} />
        </div>
      )}
    </Page>
  );
}
