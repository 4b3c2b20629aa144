import { Text } from '@mantine/core';
import { Link } from 'react-router';
import type { Activity } from '../api/types';

/** One mail as a line of the timeline: its subject, which opens the thread, and how it begins. */
export function MailInWords({ mail }: { mail: NonNullable<Activity['mail']> }) {
  return (
    <div>
      <Link
        to={`/inbox/${mail.thread_id}`}
        className="truncate"
        style={{ display: 'block', fontWeight: 550 }}
      >
        {mail.subject || 'No subject'}
      </Link>
      <Text size="sm" className="muted" lineClamp={2}>
        {mail.snippet}
      </Text>
    </div>
  );
}
