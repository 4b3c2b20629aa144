import { Button, Code, Group, Modal, SegmentedControl, Select, Stack, Text } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useState } from 'react';
import { ToneBadge } from '../calls/StateBadge';
import { attempt, notifyDone } from '../ui/notify';
import { Empty, Failure, Loading } from '../ui/States';
import { ago, moment, serverNow } from '../ui/time';
import own from './Outbox.module.css';
import classes from './Settings.module.css';
import {
  type Delivery,
  useDeliveries,
  useDelivery,
  useReplayDelivery,
  useWebhookActions,
  type Webhook,
} from './webhooks';

const STATES: Record<Delivery['state'], [string, 'good' | 'bad' | 'plain']> = {
  waiting: ['Waiting', 'plain'],
  accepted: ['Accepted', 'good'],
  failed: ['Given up', 'bad'],
  gone: ['Not there any more', 'plain'],
};
const SPANS = [
  { value: '1', label: 'All of the last hour' },
  { value: '24', label: 'All of the last day' },
  { value: '72', label: 'All of the last three days' },
  { value: '168', label: 'All of the last week' },
];
const HOUR_MS = 3_600_000;

function Detail({ id }: { id: string }) {
  const query = useDelivery(id);
  if (query.isPending) return <Loading rows={3} />;
  if (!query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  const { body, answer, status } = query.data;
  return (
    <Stack gap="xs" mt="xs">
      <Text size="xs" fw={600}>
        What is sent
      </Text>
      {body ? (
        <Code block>{JSON.stringify(body, null, 2)}</Code>
      ) : (
        <Text size="xs" className="muted">
          The log does not have it any more, or it is not yours to see.
        </Text>
      )}
      {status !== null && (
        <>
          <Text size="xs" fw={600}>
            How the answer began
          </Text>
          {answer ? (
            <Code block>{answer}</Code>
          ) : (
            <Text size="xs" className="muted">
              It was empty.
            </Text>
          )}
        </>
      )}
    </Stack>
  );
}

function Row({ each }: { each: Delivery }) {
  const [open, setOpen] = useState(false);
  const again = useReplayDelivery();
  const [words, tone] = STATES[each.state];
  const facts = [
    each.kind === 'replay' && 'sent again',
    each.attempts > 1 && `${each.attempts} attempts`,
    each.status && `answered ${each.status}`,
    each.took_ms !== null && `${each.took_ms} ms`,
    each.attempts > 0 && each.next_at && `next try ${moment(each.next_at)}`,
  ].filter(Boolean);
  return (
    <li className={classes.row} style={{ flexWrap: 'wrap' }}>
      <div className={classes.grow}>
        <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
          {each.type}
        </Text>
        <Text size="xs" className="muted">
          <time dateTime={each.event_at}>{ago(each.event_at)}</time>
          {facts.length > 0 && ` · ${facts.join(' · ')}`}
        </Text>
        {each.words && each.state !== 'accepted' && (
          <Text size="xs" c="red">
            {each.words}
          </Text>
        )}
      </div>
      <ToneBadge tone={tone}>{words}</ToneBadge>
      <Button size="compact-sm" variant="subtle" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Less' : 'More'}
      </Button>
      {each.kind !== 'test' && each.state !== 'waiting' && (
        <Button
          size="compact-sm"
          variant="light"
          loading={again.isPending}
          onClick={() => attempt(again.mutateAsync(each.id), 'It could not be sent again')}
        >
          Send again
        </Button>
      )}
      {open && (
        <div style={{ flexBasis: '100%', minWidth: 0 }}>
          <Detail id={each.id} />
        </div>
      )}
    </li>
  );
}

/** What was sent to a webhook, with what was answered, and sending it again. */
export function WebhookDeliveries({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const [state, setState] = useState<'all' | 'waiting' | 'failed'>('all');
  const [hours, setHours] = useState('24');
  const query = useDeliveries(webhook.id, state);
  const { replay } = useWebhookActions(webhook.id);
  const shown = query.data?.pages.flatMap((page) => page.data) ?? [];
  const sendSpan = () => {
    const now = serverNow();
    const from = new Date(now - Number(hours) * HOUR_MS).toISOString();
    attempt(
      replay.mutateAsync({ from_at: from, until_at: new Date(now).toISOString() }),
      'The events could not be sent again',
      ({ count }) =>
        notifyDone(
          count === 1 ? 'One event is sent again' : `${count.toLocaleString()} events are sent again`,
        ),
    );
  };
  return (
    <Modal opened onClose={onClose} size="xl" title={`Sent to ${new URL(webhook.url).host}`}>
      <Group justify="space-between" mb="sm" gap="sm">
        <SegmentedControl
          size="xs"
          aria-label="Which deliveries"
          data={[
            { value: 'all', label: 'All' },
            { value: 'waiting', label: 'Waiting' },
            { value: 'failed', label: 'Given up' },
          ]}
          value={state}
          onChange={(value) => setState(value as typeof state)}
        />
        <Group gap="xs">
          <Select
            size="xs"
            w={200}
            aria-label="Which span of time"
            allowDeselect={false}
            data={SPANS}
            value={hours}
            onChange={(value) => value && setHours(value)}
          />
          <Button size="xs" variant="default" loading={replay.isPending} onClick={sendSpan}>
            Send again
          </Button>
        </Group>
      </Group>
      {query.isPending && <Loading rows={4} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && shown.length === 0 && (
        <Empty
          icon={<IconSend size={20} />}
          title={state === 'all' ? 'Nothing was sent yet' : 'None of these'}
        >
          What was sent within the last month is listed here.
        </Empty>
      )}
      <ul className={classes.rows} aria-label="Deliveries">
        {shown.map((each) => (
          <Row key={each.id} each={each} />
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
    </Modal>
  );
}
