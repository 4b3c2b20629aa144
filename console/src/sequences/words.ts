import type { Enrolment, Sequence, SequenceStep, StepIn } from '../api/types';
import type { Tone } from '../calls/states';

export const SEQUENCE_STATES: Record<Sequence['state'], [string, Tone]> = {
  draft: ['Draft', 'plain'],
  active: ['Running', 'good'],
  paused: ['Paused', 'warn'],
  archived: ['Archived', 'plain'],
};

export const ENROLMENT_STATES: Record<Enrolment['state'], [string, Tone]> = {
  active: ['Active', 'good'],
  paused: ['Paused', 'warn'],
  finished: ['Finished', 'plain'],
  stopped: ['Stopped', 'plain'],
  failed: ['Failed', 'bad'],
};

export const KINDS: Record<SequenceStep['kind'], string> = {
  email: 'Email',
  call: 'Call',
  sms: 'Text message',
  task: 'Task',
  wait: 'Wait',
  condition: 'Condition',
};

export const CONDITIONS = [
  { value: 'opened', label: 'They opened a mail' },
  { value: 'clicked', label: 'They clicked a link' },
  { value: 'replied', label: 'They answered' },
  { value: 'has_phone', label: 'There is a phone number' },
  { value: 'has_email', label: 'There is an email address' },
  { value: 'field', label: 'A field says' },
];

/** When a step comes, as counted from the one before it. */
export function waitWords(step: Pick<StepIn, 'wait_minutes' | 'wait_business_days'>): string {
  if (step.wait_business_days) {
    return step.wait_business_days === 1
      ? 'after a business day'
      : `after ${step.wait_business_days} business days`;
  }
  const minutes = step.wait_minutes ?? 0;
  if (minutes === 0) return 'at once';
  if (minutes % 1440 === 0) return minutes === 1440 ? 'after a day' : `after ${minutes / 1440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? 'after an hour' : `after ${minutes / 60} hours`;
  return `after ${minutes} minutes`;
}

export const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
