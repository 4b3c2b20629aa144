import { Button, Group, SegmentedControl, Text } from '@mantine/core';
import { IconStack2 } from '@tabler/icons-react';
import { useState } from 'react';
import type { Job } from '../api/types';
import { words } from '../contacts/naming';
import { Age } from '../ui/Age';
import { Ago } from '../ui/Elapsed';
import { notifyDone, notifyFailure } from '../ui/notify';
import { Page, PageBody, Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import classes from './Admin.module.css';
import { useDropJob, useJobs, useRetryJob } from './queries';

const STATES: { value: Job['state']; label: string }[] = [
  { value: 'dead', label: 'Dead letters' },
  { value: 'ready', label: 'Waiting' },
  { value: 'running', label: 'Running' },
  { value: 'done', label: 'Done' },
  { value: 'dropped', label: 'Dropped' },
];

const NONE: Record<Job['state'], [string, string]> = {
  dead: ['No dead letters', 'Every job went through. One that gives up appears here with the reason.'],
  ready: ['Nothing waits', 'What is to be done later stands here until its time.'],
  running: ['Nothing is running', 'What a worker does this moment stands here.'],
  done: ['Nothing was done lately', 'What went through stands here for a while.'],
  dropped: ['Nothing was dropped', 'A dead letter that somebody gives up on stands here.'],
};

function Actions({ job }: { job: Job }) {
  const retry = useRetryJob();
  const drop = useDropJob();
  return (
    <Group gap={6} justify="flex-end" wrap="nowrap">
      <Button
        size="compact-sm"
        variant="light"
        loading={retry.isPending}
        onClick={() =>
          retry.mutate(job.id, {
            onSuccess: () => notifyDone('The job is tried again'),
            onError: (error) => notifyFailure('The job could not be retried', error),
          })
        }
      >
        Retry
      </Button>
      <Button
        size="compact-sm"
        variant="subtle"
        color="red"
        loading={drop.isPending}
        onClick={() =>
          drop.mutate(job.id, {
            onSuccess: () => notifyDone('The job was dropped'),
            onError: (error) => notifyFailure('The job could not be dropped', error),
          })
        }
      >
        Drop
      </Button>
    </Group>
  );
}

function Row({ job }: { job: Job }) {
  const args = JSON.stringify(job.args);
  return (
    <tr>
      <td>
        <Text fw={600}>{words(job.kind)}</Text>
        <div className={`${classes.args} muted truncate`} title={args}>
          {args}
        </div>
      </td>
      <td className="tabular">
        {job.attempts} of {job.max_attempts}
      </td>
      <td className={classes.reason}>{job.last_error}</td>
      <td className="muted" title={`Due ${moment(job.run_at)}`}>
        <Ago at={job.created_at} />
      </td>
      <td className={classes.right}>{job.state === 'dead' && <Actions job={job} />}</td>
    </tr>
  );
}

/** What the workers still have to do, did, or gave up on. */
export default function JobsPage() {
  const [state, setState] = useState<Job['state']>('dead');
  const query = useJobs(state);
  const jobs = query.data?.data ?? [];
  return (
    <Page title="Jobs" beside={<Age updatedAt={query.dataUpdatedAt} polled />}>
      <PageBody>
        <SegmentedControl
          mb="md"
          aria-label="State"
          data={STATES}
          value={state}
          onChange={(value) => setState(value as Job['state'])}
        />
        {query.isPending && <Loading />}
        {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
        {query.isSuccess && jobs.length === 0 && (
          <Empty icon={<IconStack2 size={20} />} title={NONE[state][0]}>
            {NONE[state][1]}
          </Empty>
        )}
        {jobs.length > 0 && (
          <Panel title={STATES.find((each) => each.value === state)?.label ?? ''}>
            <div className={classes.wide}>
              <table className={classes.table}>
                <thead>
                  <tr>
                    <th>Job</th>
                    <th>Attempts</th>
                    <th>Last error</th>
                    <th>Created</th>
                    <th>
                      <span className="visually-hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {jobs.map((job) => (
                    <Row key={job.id} job={job} />
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        )}
      </PageBody>
    </Page>
  );
}
