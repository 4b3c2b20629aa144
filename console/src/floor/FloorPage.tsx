import { Loader } from '@mantine/core';
import { Age } from '../ui/Age';
import { Page } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { AlertsPanel } from './AlertsPanel';
import classes from './Floor.module.css';
import { LeaderPanel } from './LeaderPanel';
import { PeoplePanel } from './PeoplePanel';
import { QueuesPanel } from './QueuesPanel';
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
          <div className={classes.today}>
            <AlertsPanel alerts={floor.alerts} />
            <TodayPanel today={floor.today} />
          </div>
          <div className={classes.column}>
            <PeoplePanel people={floor.people} />
            <QueuesPanel queues={floor.queues} />
            <LeaderPanel scores={floor.leaderboard} since={floor.today.since} />
          </div>
          <StreamPanel floor={floor} />
        </div>
      )}
    </Page>
  );
}
