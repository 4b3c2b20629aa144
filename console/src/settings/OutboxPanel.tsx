import { Anchor, Button, Modal, SegmentedControl, Text } from '@mantine/core';
import { IconMailOff } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { useMe, usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';
import { ToneBadge } from '../calls/StateBadge';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { ago, moment } from '../ui/time';
import own from './Outbox.module.css';
import classes from './Settings.module.css';

type Letter = components['schemas']['Letter'];

const STATES: Record<Letter['state'], [string, 'good' | 'bad' | 'plain']> = {
  waiting: ['On its way', 'plain'],
  sent: ['Sent', 'good'],
  kept: ['Kept here', 'plain'],
  failed: ['Given up', 'bad'],
};

function useLetters(failedOnly: boolean) {
  return useInfiniteQuery({
    queryKey: keys.outbox(failedOnly),
    initialPageParam: null as string | null,
    queryFn: dispatcher.currentPage<components['schemas']['LetterPage']>(({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/v1/outbox', {
          params: { query: { limit: 50, cursor: pageParam, state: failedOnly ? 'failed' : null } },
          signal,
        }),
      ),
    ),
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: usePolling(),
  });
}

function Reader({ letter, onClose }: { letter: Letter; onClose: () => void }) {
  const query = useQuery({
    queryKey: keys.letter(letter.id),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/outbox/{id}', { params: { path: { id: letter.id } }, signal })),
  });
  return (
    <Modal opened onClose={onClose} title={letter.subject} size="lg">
      <Text size="sm" className="muted" mb="sm">
        To {letter.to}, {moment(letter.created_at)}
      </Text>
      {query.isPending && <Loading rows={4} />}
      {query.isError && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.data?.text && (
        <div className={own.letter}>
          {query.data.text
            .trim()
            .split('\n')
            .map((line, index) => [`${index}`, line] as const)
            .map(([key, line]) => (
              <p key={key}>{/^https?:\/\//.test(line) ? <Anchor href={line}>{line}</Anchor> : line}</p>
            ))}
        </div>
      )}
      {query.isSuccess && !query.data?.text && <Text className="muted">The text is not kept any more.</Text>}
    </Modal>
  );
}

function Row({ letter, onRead }: { letter: Letter; onRead: () => void }) {
  const again = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/outbox/{id}/again', { params: { path: { id: letter.id } } })),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['outbox'] }),
  });
  const [words, tone] = STATES[letter.state];
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={600}>{letter.subject}</Text>
        <Text size="xs" className="muted">
          To {letter.to}, <time dateTime={letter.created_at}>{ago(letter.created_at)}</time>
        </Text>
        {letter.last_error && letter.state !== 'sent' && (
          <Text size="xs" c="red">
            {letter.last_error}
          </Text>
        )}
      </div>
      <ToneBadge tone={tone}>{words}</ToneBadge>
      {letter.is_readable && (
        <Button size="compact-sm" variant="subtle" onClick={onRead}>
          Read
        </Button>
      )}
      {letter.state === 'failed' && (
        <Button
          size="compact-sm"
          variant="light"
          loading={again.isPending}
          onClick={() => attempt(again.mutateAsync(), 'The letter could not be sent again')}
        >
          Try again
        </Button>
      )}
    </li>
  );
}

/** The letters that Ringside itself sent for the company: invitations, notices, bills. */
export default function OutboxPanel() {
  const me = useMe();
  const [failedOnly, setFailedOnly] = useState(false);
  const [reading, setReading] = useState<Letter | null>(null);
  const query = useLetters(failedOnly);
  const test = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/outbox/test')),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['outbox'] }),
  });
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  const letters = query.data?.pages.flatMap((page) => page.data) ?? [];
  const goesOut = query.data?.pages[0]?.goes_out ?? true;
  return (
    <>
      {!goesOut && (
        <Text className={classes.notice}>
          No mail server is set up, so letters stay here and can be read. To have them sent, set SMTP_URL and
          MAIL_FROM; the operations guide says how.
        </Text>
      )}
      <Panel
        title="Letters"
        aside={
          <div className={own.tools}>
            <SegmentedControl
              size="xs"
              aria-label="Which letters"
              data={[
                { value: 'all', label: 'All' },
                { value: 'failed', label: 'Given up' },
              ]}
              value={failedOnly ? 'failed' : 'all'}
              onChange={(value) => setFailedOnly(value === 'failed')}
            />
            <Button
              size="compact-sm"
              variant="default"
              loading={test.isPending}
              onClick={() =>
                attempt(test.mutateAsync(), 'No letter could be sent', () =>
                  notifyDone(
                    goesOut ? `A letter is on its way to ${me.user.email}` : 'The letter is in the outbox',
                  ),
                )
              }
            >
              Send a test
            </Button>
          </div>
        }
      >
        {query.isPending && <Loading rows={4} />}
        {query.isSuccess && letters.length === 0 && (
          <Empty icon={<IconMailOff size={20} />} title={failedOnly ? 'None was given up' : 'No letters yet'}>
            Invitations, notices and bills of the last month are listed here.
          </Empty>
        )}
        <ul className={classes.rows} aria-label="Letters">
          {letters.map((letter) => (
            <Row key={letter.id} letter={letter} onRead={() => setReading(letter)} />
          ))}
        </ul>
        {query.hasNextPage && (
          <div className={own.more}>
            <Button
              variant="default"
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              Show more
            </Button>
          </div>
        )}
      </Panel>
      {reading && <Reader letter={reading} onClose={() => setReading(null)} />}
    </>
  );
}
