import { ActionIcon, Button, CopyButton, Group, Menu, Modal, Stack, Text } from '@mantine/core';
import { IconDots, IconPlus, IconWebhook } from '@tabler/icons-react';
import { useState } from 'react';
import { NeedsPlan } from '../billing/NeedsPlan';
import { ToneBadge } from '../calls/StateBadge';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { ago, moment } from '../ui/time';
import secrets from './Access.module.css';
import classes from './Settings.module.css';
import { WebhookDeliveries } from './WebhookDeliveries';
import { WebhookEditor } from './WebhookEditor';
import { useWebhookActions, useWebhooks, type Webhook } from './webhooks';

const STATES: Record<Webhook['state'], [string, 'good' | 'bad' | 'plain']> = {
  active: ['Active', 'good'],
  paused: ['Paused', 'plain'],
  failing: ['Given up', 'bad'],
};

function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} size="lg" title="The webhook’s secret" closeOnClickOutside={false}>
      <Stack>
        <Text>
          What is sent is signed with it. Give it to your system, which can check each request with any
          library of Standard Webhooks.
        </Text>
        <code className={secrets.secret}>{secret}</code>
        <Group justify="flex-end" gap="xs">
          <CopyButton value={secret}>
            {({ copied, copy }) => (
              <Button variant="default" data-autofocus onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
          <Button onClick={onClose}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function facts(each: Webhook): string {
  const said = [
    each.types
      ? each.types.length === 1
        ? each.types[0]
        : `${each.types.length} kinds of events`
      : 'Everything',
    each.accepted_at ? `last taken ${ago(each.accepted_at)}` : 'nothing taken yet',
  ];
  if (each.waiting) said.push(each.waiting >= 1000 ? '1,000 or more wait' : `${each.waiting} wait`);
  if (each.next_at && each.waiting) said.push(`next try ${moment(each.next_at)}`);
  if (each.rotating_until) said.push(`the old secret counts until ${moment(each.rotating_until)}`);
  return said.join(' · ');
}

type Asking = 'edit' | 'log' | 'remove' | 'rotate' | null;

function Row({ each, onSecret }: { each: Webhook; onSecret: (secret: string) => void }) {
  const { pause, resume, test, remove, secret, rotate } = useWebhookActions(each.id);
  const [asking, setAsking] = useState<Asking>(null);
  const [words, tone] = STATES[each.state];
  const close = () => setAsking(null);
  const host = new URL(each.url).host;
  return (
    <li className={classes.row} style={{ flexWrap: 'wrap' }}>
      <div className={classes.grow}>
        <Text fw={600}>{each.description || host}</Text>
        <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
          {each.url}
        </Text>
        <Text size="xs" className="muted">
          {facts(each)}
        </Text>
        {each.state !== 'active' && (
          <Text size="xs" c={each.state === 'failing' ? 'red' : undefined}>
            {each.reason}
          </Text>
        )}
        {each.missed > 0 && (
          <Text size="xs" c="red">
            {each.missed.toLocaleString()} events were gone from the log before they could be sent.
          </Text>
        )}
      </div>
      <ToneBadge tone={tone}>{words}</ToneBadge>
      {each.state !== 'active' && (
        <Button
          size="compact-sm"
          variant="light"
          loading={resume.isPending}
          onClick={() => attempt(resume.mutateAsync(false), 'It could not go on')}
        >
          Go on
        </Button>
      )}
      <Button size="compact-sm" variant="subtle" onClick={() => setAsking('log')}>
        What was sent
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`More for ${each.description || host}`}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() =>
              attempt(test.mutateAsync(), 'No test could be sent', () =>
                notifyDone('A test is on its way; see what was sent'),
              )
            }
          >
            Send a test
          </Menu.Item>
          <Menu.Item onClick={() => setAsking('edit')}>Change</Menu.Item>
          {each.state === 'active' && (
            <Menu.Item onClick={() => attempt(pause.mutateAsync(), 'It could not be paused')}>
              Pause
            </Menu.Item>
          )}
          {each.state === 'failing' && (
            <Menu.Item onClick={() => attempt(resume.mutateAsync(true), 'It could not go on')}>
              Go on without the event that failed
            </Menu.Item>
          )}
          <Menu.Item
            onClick={() =>
              attempt(secret.mutateAsync(), 'The secret could not be shown', (shown) =>
                onSecret(shown.secret),
              )
            }
          >
            Show the secret
          </Menu.Item>
          <Menu.Item onClick={() => setAsking('rotate')}>Change the secret</Menu.Item>
          <Menu.Item color="red" onClick={() => setAsking('remove')}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asking === 'edit' && <WebhookEditor webhook={each} onClose={close} onMade={close} />}
      {asking === 'log' && <WebhookDeliveries webhook={each} onClose={close} />}
      <Modal opened={asking === 'remove'} onClose={close} title={`Send nothing to ${host} any more?`}>
        <Stack>
          <Text>What waits is not sent, and the list of what was sent goes with it.</Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="subtle" color="gray" onClick={close}>
              Cancel
            </Button>
            <Button
              color="red"
              loading={remove.isPending}
              onClick={() => attempt(remove.mutateAsync(), 'It could not be deleted', close)}
            >
              Delete it
            </Button>
          </Group>
        </Stack>
      </Modal>
      <Modal opened={asking === 'rotate'} onClose={close} title="Change the secret?">
        <Stack>
          <Text>
            For a day everything is signed with both, the old and the new one. Then the old one counts no
            more.
          </Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="subtle" color="gray" onClick={close}>
              Cancel
            </Button>
            <Button
              loading={rotate.isPending}
              onClick={() =>
                attempt(rotate.mutateAsync(), 'The secret could not be changed', (made) => {
                  close();
                  onSecret(made.secret);
                })
              }
            >
              Change it
            </Button>
          </Group>
        </Stack>
      </Modal>
    </li>
  );
}

/** Where events are sent to: other systems of the company. */
export default function WebhooksPanel() {
  const query = useWebhooks();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  if (query.isPending) return <Loading />;
  if (!query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  const webhooks = query.data.data;
  return (
    <>
      <NeedsPlan feature="webhooks" />
      <Panel
        title="Webhooks"
        aside={
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => setMaking(true)}
          >
            New webhook
          </Button>
        }
      >
        {webhooks.length === 0 && (
          <Empty icon={<IconWebhook size={20} />} title="No webhooks yet">
            A webhook tells a system of yours of what happens here, in order and within seconds.
          </Empty>
        )}
        <ul className={classes.rows} aria-label="Webhooks">
          {webhooks.map((each) => (
            <Row key={each.id} each={each} onSecret={setSecret} />
          ))}
        </ul>
      </Panel>
      {making && (
        <WebhookEditor
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false);
            setSecret(made.secret);
          }}
        />
      )}
      {secret && <Secret secret={secret} onClose={() => setSecret(null)} />}
    </>
  );
}
