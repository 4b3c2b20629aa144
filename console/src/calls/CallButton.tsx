import { Button, Tooltip } from '@mantine/core';
import { IconPhone } from '@tabler/icons-react';
import { isLive } from '../live/reduce/shared';
import { attempt } from '../ui/notify';
import { useLastCall, usePlaceCall } from './queries';

/** Calls one number of a contact; one call at a time. */
export function CallButton({ contactId, phone }: { contactId: string; phone: string }) {
  const last = useLastCall().data;
  const place = usePlaceCall();
  const onCall = last ? isLive(last) : false;
  return (
    <Tooltip label={onCall ? 'You are on a call' : `Call ${phone}`}>
      <Button
        size="xs"
        fz="sm"
        variant="light"
        leftSection={<IconPhone size={15} aria-hidden />}
        aria-label={`Call ${phone}`}
        data-disabled={onCall || undefined}
        aria-disabled={onCall}
        loading={place.isPending}
        onClick={() => {
          const call = { contact_id: contactId, phone };
          if (!onCall) attempt(place.mutateAsync(call), 'The call could not be placed');
        }}
      >
        Call
      </Button>
    </Tooltip>
  );
}
