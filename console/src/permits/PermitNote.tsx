import { Anchor, Button, Modal, Text, TextInput } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { isAtLeast, useMe } from '../app/hooks';
import { usePlaceCall } from '../calls/queries';
import { FormFoot } from '../ui/FormFoot';
import { usePermit } from './queries';

type Props = { contactId: string; phone: string };

/** Calls although a rule is against it. Who did so, and why, is kept with the decision. */
function Override({ contactId, phone, explanation }: Props & { explanation: string }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const place = usePlaceCall();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const call = { contact_id: contactId, phone, override: { reason: reason.trim() } };
    place.mutate(call, { onSuccess: () => setOpen(false) });
  };
  return (
    <>
      {' '}
      <Anchor component="button" type="button" size="xs" onClick={() => setOpen(true)}>
        Call anyway
      </Anchor>
      <Modal opened={open} onClose={() => setOpen(false)} title="Call anyway?">
        <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
          <Text>{explanation}</Text>
          <TextInput
            label="Your reason"
            description="It is kept with your name, and managers are told."
            required
            minLength={3}
            data-autofocus
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <FormFoot error={place.error} onCancel={() => setOpen(false)}>
            <Button type="submit" color="red" disabled={reason.trim().length < 3} loading={place.isPending}>
              Call
            </Button>
          </FormFoot>
        </form>
      </Modal>
    </>
  );
}

/** Why this number may not be called now, and an admin's way around it; nothing when it may be called. */
export function PermitNote({ contactId, phone }: Props) {
  const me = useMe();
  const permit = usePermit(contactId, phone).data;
  if (!permit || permit.allowed) return null;
  return (
    <Text size="xs" mt={2} component="div" style={{ color: 'var(--rs-warn)' }}>
      <IconAlertTriangle size={13} style={{ verticalAlign: '-2px' }} aria-hidden /> {permit.explanation}
      {permit.overridable && isAtLeast(me.role, 'admin') && (
        <Override contactId={contactId} phone={phone} explanation={permit.explanation} />
      )}
    </Text>
  );
}
