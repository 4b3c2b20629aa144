import type { Call } from '../api/types';
import { readable } from '../contacts/naming';
import { isLive } from '../live/reduce/shared';

const STATES: Record<Call['state'], string> = {
  queued: 'Queued',
  dialing: 'Dialing',
  ringing: 'Ringing',
  in_progress: 'Connected',
  completed: 'Ended',
  busy: 'Busy',
  no_answer: 'No answer',
  failed: 'Failed',
  canceled: 'Canceled',
};

const OUTCOMES: Record<NonNullable<Call['outcome']>, string> = {
  connected: 'Connected',
  busy: 'Busy',
  no_answer: 'No answer',
  failed: 'Failed',
  canceled: 'Canceled',
  voicemail: 'Voicemail',
  abandoned: 'Abandoned',
};

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** The call's state while it lives, its outcome afterwards. */
export function stateWords(call: Call): string {
  return !isLive(call) && call.outcome ? OUTCOMES[call.outcome] : STATES[call.state];
}

export function outcomeWords(outcome: string): string {
  return OUTCOMES[outcome as NonNullable<Call['outcome']>] ?? outcome;
}

export function stateTone(call: Call): Tone {
  if (call.state === 'in_progress' || call.outcome === 'connected') return 'good';
  if (isLive(call)) return 'warn';
  return call.state === 'failed' ? 'bad' : 'plain';
}

/** Seconds that the two talked; 0 when nobody answered. */
export function talkedS(call: Call): number {
  if (!call.answered_at || !call.ended_at) return 0;
  return Math.max(0, (Date.parse(call.ended_at) - Date.parse(call.answered_at)) / 1000);
}

/** Who is at the other end. */
export function otherEnd(call: Call): string {
  return call.contact_name || readable(call.direction === 'inbound' ? call.from : call.to);
}

export function otherNumber(call: Call): string {
  return readable(call.direction === 'inbound' ? call.from : call.to);
}
