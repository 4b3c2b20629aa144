import { ActionIcon, Group, SegmentedControl, Tooltip } from '@mantine/core';
import { IconEar, IconX } from '@tabler/icons-react';
import type { Call } from '../api/types';
import { useMe } from '../app/hooks';
import { type Mode, useListeners, useStopSupervising, useSupervise } from '../calls/controls';
import { attempt } from '../ui/notify';

const MODES = [
  { value: 'listen', label: 'Listen' },
  { value: 'whisper', label: 'Whisper' },
  { value: 'barge', label: 'Barge' },
];

/** A manager's way into a rep's call: only hear, be heard by the rep, or be heard by both. */
export function Supervise({ call, rep }: { call: Call; rep: string }) {
  const me = useMe();
  const enter = useSupervise();
  const leave = useStopSupervising();
  const listeners = useListeners(call.id, true).data?.data ?? [];
  const mine = [...call.legs, ...listeners].find(
    (leg) =>
      leg.kind === 'supervisor' && leg.user?.id === me.user.id && !['left', 'failed'].includes(leg.state),
  );
  const go = (mode: Mode) =>
    attempt(enter.mutateAsync({ id: call.id, mode }), `You are not in ${rep}’s call`);
  if (!mine) {
    return (
      <Tooltip label={`Listen to ${rep}’s call`}>
        <ActionIcon
          variant="default"
          size={30}
          aria-label={`Listen to ${rep}`}
          loading={enter.isPending}
          onClick={() => go('listen')}
        >
          <IconEar size={16} stroke={1.8} />
        </ActionIcon>
      </Tooltip>
    );
  }
  return (
    <Group gap={6} wrap="nowrap">
      <SegmentedControl
        size="xs"
        aria-label={`How you are in ${rep}’s call`}
        data={MODES}
        value={mine.mode ?? 'listen'}
        disabled={enter.isPending}
        onChange={(mode) => go(mode as Mode)}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        size={28}
        aria-label={`Leave ${rep}’s call`}
        loading={leave.isPending}
        onClick={() => attempt(leave.mutateAsync(call.id), 'You are still in the call')}
      >
        <IconX size={15} />
      </ActionIcon>
    </Group>
  );
}
