import { Button, Group, Menu, Text } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { Call, DispositionValue } from '../api/types';
import { isAtLeast, useMe } from '../app/hooks';
import { words } from '../contacts/naming';
import { isLive } from '../live/reduce/shared';
import { notifyFailure } from '../ui/notify';
import { clock } from '../ui/time';
import { useDispositions, useSetDisposition } from './queries';
import { StateBadge } from './StateBadge';
import { otherNumber, talkedS } from './states';

function DispositionMenu({ call }: { call: Call }) {
  const dispositions = useDispositions().data ?? [];
  const set = useSetDisposition();
  const label = dispositions.find((each) => each.value === call.disposition)?.label;
  const choose = (disposition: DispositionValue) =>
    set.mutate(
      { id: call.id, disposition, note: '' },
      { onError: (error) => notifyFailure('The disposition could not be set', error) },
    );
  return (
    <Menu>
      <Menu.Target>
        <Button
          size="compact-xs"
          variant={call.disposition ? 'default' : 'subtle'}
          color="gray"
          loading={set.isPending}
          rightSection={<IconChevronDown size={12} aria-hidden />}
        >
          {label ?? (call.disposition ? words(call.disposition) : 'Set disposition')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {dispositions.map((each) => (
          <Menu.Item key={each.value} onClick={() => choose(each.value)}>
            {each.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** One call as a line of the timeline: number, how it ended, how long, the disposition and its note. */
export function CallInWords({ call }: { call: Call }) {
  const me = useMe();
  const talked = talkedS(call);
  const mayChange = call.user_id === me.user.id || isAtLeast(me.role, 'manager');
  return (
    <div>
      <Group gap={8} mt={4}>
        <StateBadge call={call} />
        <Text component="span" size="xs" className="muted tabular">
          {otherNumber(call)}
          {talked > 0 && ` · ${clock(talked)}`}
        </Text>
        {!isLive(call) && mayChange && <DispositionMenu call={call} />}
      </Group>
      {call.error && (
        <Text size="xs" mt={4} style={{ color: 'var(--rs-bad)' }}>
          {call.error}
        </Text>
      )}
      {call.note && (
        <Text mt={6} style={{ whiteSpace: 'pre-wrap' }}>
          {call.note}
        </Text>
      )}
    </div>
  );
}
