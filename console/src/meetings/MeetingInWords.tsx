import { Button, Group, Text } from '@mantine/core';
import type { Meeting } from '../api/types';
import { ToneBadge } from '../calls/StateBadge';
import type { Tone } from '../calls/states';
import { attempt } from '../ui/notify';
import { useAnswerMeeting, useCancelMeeting } from './queries';
import { span } from './span';

const STATES: Record<Meeting['state'], [string, Tone]> = {
  tentative: ['Not answered', 'warn'],
  confirmed: ['Confirmed', 'good'],
  declined: ['Declined', 'bad'],
  canceled: ['Canceled', 'plain'],
};

const ANSWERS = [
  { value: 'accepted', label: 'Accept' },
  { value: 'tentative', label: 'Maybe' },
  { value: 'declined', label: 'Decline' },
] as const;

/** One meeting: when, where, how it stands, and what one may still say to it. */
export function MeetingInWords({ meeting }: { meeting: Meeting }) {
  const answer = useAnswerMeeting();
  const cancel = useCancelMeeting();
  const [word, tone] = STATES[meeting.state] ?? [meeting.state, 'plain'];
  const open = meeting.state !== 'canceled' && Date.parse(meeting.end_at) > Date.now();
  return (
    <div>
      <Text fw={550}>{meeting.summary || 'Meeting'}</Text>
      <Group gap={8} mt={4}>
        <ToneBadge tone={tone}>{word}</ToneBadge>
        <Text size="xs" className="muted tabular">
          {span(meeting)}
          {meeting.location && ` · ${meeting.location}`}
          {meeting.recurrence && ' · repeats'}
        </Text>
      </Group>
      {open && (
        <Group gap={6} mt={6}>
          {meeting.direction === 'inbound' ? (
            ANSWERS.map((each) => (
              <Button
                key={each.value}
                size="compact-xs"
                variant={meeting.answer === each.value ? 'light' : 'default'}
                aria-pressed={meeting.answer === each.value}
                loading={answer.isPending && answer.variables?.answer === each.value}
                onClick={() =>
                  attempt(
                    answer.mutateAsync({ id: meeting.id, answer: each.value }),
                    'Your answer was not sent',
                  )
                }
              >
                {each.label}
              </Button>
            ))
          ) : (
            <Button
              size="compact-xs"
              variant="default"
              loading={cancel.isPending}
              onClick={() => attempt(cancel.mutateAsync(meeting.id), 'The meeting was not canceled')}
            >
              Cancel the meeting
            </Button>
          )}
        </Group>
      )}
    </div>
  );
}
