import { Button } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import type { Recording } from '../api/types';
import { notifyFailure } from '../ui/notify';
import { clock } from '../ui/time';
import { useAudioLink } from './queries';

/** Plays a recording. Its address is asked for on the click, since each listening is written down. */
export function Player({ recording }: { recording: Recording }) {
  const link = useAudioLink();
  const length = recording.duration_s === null ? '' : ` ${clock(recording.duration_s)}`;
  if (link.data) {
    return (
      // biome-ignore lint/a11y/useMediaCaption: the transcript, where there is one, stands beside it
      <audio controls autoPlay src={link.data.url} style={{ height: 36, maxWidth: '100%' }} />
    );
  }
  return (
    <Button
      size="compact-sm"
      variant="light"
      leftSection={<IconPlayerPlay size={14} aria-hidden />}
      loading={link.isPending}
      aria-label={`Play the recording with ${recording.contact.name}`}
      onClick={() =>
        link.mutate(recording.id, {
          onError: (error) => notifyFailure('The recording could not be played', error),
        })
      }
    >
      Play{length}
    </Button>
  );
}
