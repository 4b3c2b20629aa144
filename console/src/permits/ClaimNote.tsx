import { Text } from '@mantine/core';
import { IconUserBolt } from '@tabler/icons-react';
import { useMe } from '../app/hooks';
import { useLeases } from './queries';

const PURPOSES: Record<string, string> = {
  call: 'is on a call with them',
  dialer: 'is about to dial them',
  email: 'is writing to them',
  sms: 'is writing to them',
};

/** Which colleague is busy with this contact right now. */
export function ClaimNote({ contactId }: { contactId: string }) {
  const me = useMe();
  const lease = useLeases().data?.data.find((each) => each.contact_id === contactId);
  if (!lease || lease.user.id === me.user.id) return null;
  return (
    <Text size="xs" role="status" px={18} py={8} style={{ background: 'var(--rs-selected)' }}>
      <IconUserBolt size={14} style={{ verticalAlign: '-2px' }} aria-hidden /> {lease.user.name}{' '}
      {PURPOSES[lease.purpose] ?? 'is busy with them'}
    </Text>
  );
}
