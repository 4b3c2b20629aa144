import { Select, Text } from '@mantine/core';
import { softphone } from '../app/services';
import { attempt } from '../ui/notify';
import { useSoftphoneState } from './hooks';

function Choice({ kind, label }: { kind: 'audioinput' | 'audiooutput'; label: string }) {
  const data = softphone
    .devices(kind)
    .map((each, index) => ({ value: each.deviceId, label: each.label || `Device ${index + 1}` }));
  return (
    <Select
      label={label}
      placeholder="The browser’s own choice"
      data={data}
      onChange={(id) => id && attempt(softphone.choose(kind, id), 'This device cannot be used')}
    />
  );
}

/** Which microphone and which loudspeaker; known once the browser's telephone runs. */
export function DeviceChoice() {
  const { phase } = useSoftphoneState();
  if (phase === 'off' || phase === 'starting') {
    return (
      <Text size="xs" className="muted">
        Save first; microphone and loudspeaker can be chosen once the telephone runs.
      </Text>
    );
  }
  return (
    <>
      <Choice kind="audioinput" label="Microphone" />
      <Choice kind="audiooutput" label="Loudspeaker" />
    </>
  );
}
