import { Button, Group, Text } from '@mantine/core';
import { IconPhoneOff, IconX } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { unwrap } from '../api/client';
import { api } from '../app/services';
import { words } from '../contacts/naming';
import { useQueues } from '../dialer/queries';
import { usePeopleNames } from '../floor/people';
import { Age } from '../ui/Age';
import { Page, PageBody, Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { clock, moment } from '../ui/time';
import classes from './Calls.module.css';
import { useDispositions } from './queries';
import { StateBadge } from './StateBadge';
import { otherEnd, otherNumber, outcomeWords, talkedS } from './states';

const FILTERS = [
  'since',
  'user_id',
  'outcome',
  'disposition',
  'connected',
  'contact_id',
  'queue_id',
] as const;

function useCalls(params: URLSearchParams) {
  const filter = Object.fromEntries(
    FILTERS.flatMap((name) => (params.get(name) ? [[name, params.get(name)]] : [])),
  );
  return useInfiniteQuery({
    queryKey: ['calls', filter],
    initialPageParam: null as string | null,
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        api.GET('/api/v1/calls', {
          params: { query: { ...filter, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } as never },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** What is listed, in words, each part with a way to drop it. */
function Chips() {
  const [params, setParams] = useSearchParams();
  const names = usePeopleNames();
  const queues = useQueues();
  const say: Record<(typeof FILTERS)[number], (value: string) => string> = {
    since: (value) => `since ${moment(value)}`,
    user_id: (value) => `by ${names.get(value) ?? 'somebody'}`,
    outcome: (value) => outcomeWords(value).toLowerCase(),
    disposition: (value) => words(value).toLowerCase(),
    connected: (value) => (value === 'true' ? 'connected' : 'not connected'),
    contact_id: () => 'with one contact',
    queue_id: (value) => `from ${queues.data?.data.find((queue) => queue.id === value)?.name ?? 'one queue'}`,
  };
  const drop = (name: string) =>
    setParams((before) => {
      const next = new URLSearchParams(before);
      next.delete(name);
      return next;
    });
  return (
    <Group gap={6} mb="md">
      {FILTERS.flatMap((name) => {
        const value = params.get(name);
        if (!value) return [];
        return (
          <Button
            key={name}
            size="compact-sm"
            variant="default"
            rightSection={<IconX size={12} aria-hidden />}
            aria-label={`Not only ${say[name](value)}`}
            onClick={() => drop(name)}
          >
            {say[name](value)}
          </Button>
        );
      })}
    </Group>
  );
}

/** Calls, newest first: those behind a number of the floor, or all of them. */
export default function CallsPage() {
  const [params] = useSearchParams();
  const names = usePeopleNames();
  const query = useCalls(params);
  const calls = query.data?.pages.flatMap((page) => page.data) ?? [];
  const filtered = FILTERS.some((name) => params.get(name));
  const dispositions = useDispositions().data ?? [];
  const label = (value: string) => dispositions.find((each) => each.value === value)?.label ?? words(value);
  return (
    <Page title="Calls" beside={<Age polled updatedAt={query.dataUpdatedAt} />}>
      <PageBody>
        <Chips />
        <Panel title="Newest first">
          {query.isPending && <Loading />}
          {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
          {query.isSuccess && calls.length === 0 && (
            <Empty
              icon={<IconPhoneOff size={20} />}
              title={filtered ? 'No calls like these' : 'No calls yet'}
            >
              {filtered ? 'Drop a filter to see more.' : 'Open a contact and press Call.'}
            </Empty>
          )}
          <ul className={classes.list} aria-label="Calls">
            {calls.map((call) => (
              <li key={call.id}>
                <div className={classes.who}>
                  <Link to={`/contacts/${call.contact_id}`}>{otherEnd(call)}</Link>
                  <Text size="xs" className="muted tabular">
                    {otherNumber(call)} · {(call.user_id && names.get(call.user_id)) || 'Nobody'} ·{' '}
                    {moment(call.started_at)}
                  </Text>
                  {call.error && (
                    <Text size="xs" style={{ color: 'var(--rs-bad)' }}>
                      {call.error}
                    </Text>
                  )}
                </div>
                <Text size="xs" className="muted">
                  {call.disposition && label(call.disposition)}
                </Text>
                <Text size="xs" className="tabular">
                  {talkedS(call) > 0 && clock(talkedS(call))}
                </Text>
                <StateBadge call={call} />
              </li>
            ))}
          </ul>
          {query.hasNextPage && (
            <Button
              variant="subtle"
              m="md"
              loading={query.isFetchingNextPage}
              onClick={() => query.fetchNextPage()}
            >
              Show earlier
            </Button>
          )}
        </Panel>
      </PageBody>
    </Page>
  );
}
