import type { DialSession, Queue, QueueItem } from '../api/types';
import type { Tone } from '../calls/states';

export const QUEUE_STATES: Record<Queue['state'], [string, Tone]> = {
  draft: ['Not started', 'plain'],
  running: ['Running', 'good'],
  paused: ['Paused', 'warn'],
  done: ['Done', 'plain'],
};

export const SESSION_STATES: Record<DialSession['state'], [string, Tone]> = {
  preparing: ['Preparing the next contact', 'plain'],
  ready: ['Ready', 'good'],
  dialing: ['Dialing', 'warn'],
  talking: ['Talking', 'good'],
  wrap_up: ['Wrap-up', 'warn'],
  paused: ['Paused', 'warn'],
  ended: ['Ended', 'plain'],
};

export const ITEM_STATES: Record<QueueItem['state'], string> = {
  waiting: 'Waiting',
  callback: 'Callback',
  claimed: 'Prepared',
  dialing: 'Being called',
  done: 'Done',
  skipped: 'Skipped',
};

export const ORDERS = [
  { value: 'local_time', label: 'Who can be called for the shortest time first' },
  { value: 'newest', label: 'Newest first' },
  { value: 'oldest', label: 'Oldest first' },
  { value: 'name', label: 'By name' },
];
