import {
  Button,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { ApiKey, NewApiKey, Permission } from '../api/types';
import { useMay, useMe } from '../app/hooks';
import { NeedsPlan } from '../billing/NeedsPlan';
import { FormFoot } from '../ui/FormFoot';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { moment, serverNow } from '../ui/time';
import classes from './Access.module.css';
import { useApiKeys, useCreateApiKey, useEndApiKey, usePermissions } from './access';
import { PermissionPicker } from './PermissionPicker';
import rows from './Settings.module.css';

const LIVES = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '180', label: '180 days' },
  { value: '365', label: 'A year' },
];

const day = (at: string) => new Date(at).toLocaleDateString(undefined, { dateStyle: 'medium' });

function Maker({
  all,
  onMade,
  onClose,
}: {
  all: Permission[];
  onMade: (key: NewApiKey) => void;
  onClose: () => void;
}) {
  const may = useMay();
  const create = useCreateApiKey();
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [chosen, setChosen] = useState<string[]>([]);
  const reads = all.map((each) => each.name).filter((each) => each.endsWith(':read') && may(each));
  return (
    <Modal opened onClose={onClose} size="xl" title="New API key">
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(
            { name: name.trim(), scopes: chosen, expires_in_days: Number(days) },
            { onSuccess: onMade },
          );
        }}
      >
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <TextInput
            label="What it is for"
            placeholder="Nightly report"
            required
            maxLength={80}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label="Ends after"
            allowDeselect={false}
            data={LIVES}
            value={days}
            onChange={(next) => next && setDays(next)}
          />
        </Group>
        <Text size="sm" className="muted">
          What is done with the key is done in your name. It may do what you choose here, and never more than
          you may do yourself at that moment.
        </Text>
        <div className={classes.presets}>
          <Button size="compact-sm" variant="default" onClick={() => setChosen(reads)}>
            Read everything I may
          </Button>
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setChosen([])}>
            Nothing
          </Button>
        </div>
        <PermissionPicker all={all} chosen={chosen} onChange={setChosen} />
        <div className={classes.foot}>
          <FormFoot error={create.error} onCancel={onClose}>
            <Button type="submit" loading={create.isPending} disabled={!name.trim() || chosen.length === 0}>
              Make the key
            </Button>
          </FormFoot>
        </div>
      </form>
    </Modal>
  );
}

function Shown({ made, onClose }: { made: NewApiKey; onClose: () => void }) {
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={`Copy the key for ${made.name}`}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <Stack>
        <Text>
          This is the only time it is shown. Keep it where your other secrets are; if it is lost, make a new
          one.
        </Text>
        <code className={classes.secret}>{made.key}</code>
        <Text size="sm" className="muted">
          Send it with every request as <code>Authorization: Bearer {made.hint}…</code>
        </Text>
        <Group justify="flex-end" gap="xs">
          <CopyButton value={made.key}>
            {({ copied, copy }) => (
              <Button variant="default" data-autofocus onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
          <Button onClick={onClose}>I have kept it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function standing(each: ApiKey, now: number): { words: string; over: boolean } {
  if (each.ended_at) return { words: `Ended on ${day(each.ended_at)}`, over: true };
  if (Date.parse(each.expires_at) <= now) return { words: `Ran out on ${day(each.expires_at)}`, over: true };
  return { words: `Ends on ${day(each.expires_at)}`, over: false };
}

function Row({ each, now }: { each: ApiKey; now: number }) {
  const me = useMe();
  const [asking, setAsking] = useState(false);
  const end = useEndApiKey();
  const { words, over } = standing(each, now);
  const used = each.last_used_at
    ? `last used ${moment(each.last_used_at)}${each.last_used_from ? ` from ${each.last_used_from}` : ''}`
    : 'never used';
  const permissions = each.scopes.length === 1 ? 'One permission' : `${each.scopes.length} permissions`;
  return (
    <li className={rows.row}>
      <div className={rows.grow} style={over ? { opacity: 0.6 } : undefined}>
        <Text fw={600}>
          {each.name}{' '}
          <span className={rows.code} style={{ fontWeight: 400 }}>
            {each.hint}…
          </span>
        </Text>
        <Text size="xs" className="muted">
          {each.user.id !== me.user.id && `${each.user.name} · `}
          {words} · {used} ·{' '}
          <Tooltip label={each.scopes.join(', ')} multiline maw={420}>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the tooltip's list is for the keyboard too */}
            <span tabIndex={0}>{permissions}</span>
          </Tooltip>
        </Text>
      </div>
      {!over && (
        <Button size="compact-sm" variant="subtle" color="red" onClick={() => setAsking(true)}>
          End
        </Button>
      )}
      <Modal opened={asking} onClose={() => setAsking(false)} title={`End the key for ${each.name}?`}>
        <Stack>
          <Text>Programs that use it are refused from this moment on. It cannot be brought back.</Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="subtle" color="gray" onClick={() => setAsking(false)}>
              Cancel
            </Button>
            <Button
              color="red"
              loading={end.isPending}
              onClick={() =>
                attempt(end.mutateAsync(each.id), `${each.name} could not be ended`, () => setAsking(false))
              }
            >
              End it
            </Button>
          </Group>
        </Stack>
      </Modal>
    </li>
  );
}

/** One's API keys, and those of everybody for who may set how people sign in. */
export default function ApiKeysPanel() {
  const may = useMay();
  const now = serverNow();
  const [everybody, setEverybody] = useState(false);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewApiKey | null>(null);
  const known = usePermissions();
  const query = useApiKeys(everybody);
  if (query.isPending || known.isPending) return <Loading />;
  if (!query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!known.data) return <Failure error={known.error} onRetry={() => known.refetch()} />;
  const keys = query.data.data;
  return (
    <>
      <NeedsPlan feature="api_keys" />
      <Panel
        title={everybody ? 'Everybody’s API keys' : 'My API keys'}
        aside={
          <Group gap="md">
            {may('security:write') && (
              <Switch
                size="sm"
                label="Everybody’s"
                checked={everybody}
                onChange={(event) => setEverybody(event.currentTarget.checked)}
              />
            )}
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<IconPlus size={14} />}
              onClick={() => setMaking(true)}
            >
              New key
            </Button>
          </Group>
        }
      >
        {keys.length === 0 && (
          <Empty icon={<IconKey size={20} />} title="No API keys yet">
            With a key a program of yours reads and writes what you let it, until the day you choose.
          </Empty>
        )}
        <ul className={rows.rows} aria-label="API keys">
          {keys.map((each) => (
            <Row key={each.id} each={each} now={now} />
          ))}
        </ul>
        {making && (
          <Maker
            all={known.data.data.filter((each) => each.for_keys)}
            onClose={() => setMaking(false)}
            onMade={(key) => {
              setMaking(false);
              setMade(key);
            }}
          />
        )}
        {made && <Shown made={made} onClose={() => setMade(null)} />}
      </Panel>
    </>
  );
}
