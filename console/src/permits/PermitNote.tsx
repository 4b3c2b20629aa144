import { Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { usePermit } from './queries';

/** Why this number may not be called now; nothing when it may. */
export function PermitNote({ contactId, phone }: { contactId: string; phone: string }) {
  const permit = usePermit(contactId, phone).data;
  if (!permit || permit.allowed) return null;
  return (
    <Text size="xs" mt={2} style={{ color: 'var(--rs-warn)' }}>
      <IconAlertTriangle size={13} style={{ verticalAlign: '-2px' }} aria-hidden /> {permit.explanation}
    </Text>
  );
}
