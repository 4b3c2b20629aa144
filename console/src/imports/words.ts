import type { Import } from '../api/types';
import type { Tone } from '../calls/states';

export const STATE_WORDS: Record<Import['state'], string> = {
  queued: 'Waiting',
  running: 'Running',
  done: 'Done',
  failed: 'Failed',
  undone: 'Undone',
};

export const STATE_TONES: Record<Import['state'], Tone> = {
  queued: 'plain',
  running: 'warn',
  done: 'good',
  failed: 'bad',
  undone: 'plain',
};
