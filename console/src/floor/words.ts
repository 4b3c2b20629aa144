import type { Call } from '../api/types';
import { otherEnd, stateWords, talkedS } from '../calls/states';
import { fullName, words } from '../contacts/naming';
import type { LiveEvent } from '../live/events';
import { clock } from '../ui/time';

export type Saying = { text: string; tone: 'good' | 'warn' | 'bad' | 'plain' };

/** A sentence as a remark in brackets. */
function aside(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '');
}

function callSaying(call: Call, who: string): Saying | null {
  const whom = otherEnd(call);
  switch (call.state) {
    case 'dialing':
      return { text: `${who} is calling ${whom}`, tone: 'warn' };
    case 'in_progress':
      return { text: `${who} is talking to ${whom}`, tone: 'good' };
    case 'queued':
    case 'ringing':
      return null;
    default: {
      const talked = talkedS(call);
      const end = stateWords(call).toLowerCase() + (talked > 0 ? `, ${clock(talked)}` : '');
      const why = call.state === 'failed' && call.error ? ` (${call.error})` : '';
      const tone = call.outcome === 'connected' ? 'good' : call.state === 'failed' ? 'bad' : 'plain';
      return { text: `${who} called ${whom}: ${end}${why}`, tone };
    }
  }
}

/** One line of the stream in plain words; null for what nobody needs to read. `nameOf` knows the people by id. */
export function saying(event: LiveEvent, nameOf: (id: string) => string | undefined): Saying | null {
  const actor = event.actor.name || 'Ringside';
  const plain = (text: string): Saying => ({ text, tone: 'plain' });
  switch (event.type) {
    case 'call.state_changed': {
      const { call } = event.data;
      return callSaying(call, (call.user_id && nameOf(call.user_id)) || actor);
    }
    case 'call.disposition_set': {
      const { call } = event.data;
      return plain(
        `${actor} marked the call with ${otherEnd(call)}: ${words(call.disposition ?? 'none').toLowerCase()}`,
      );
    }
    case 'contact.created':
      return plain(`${actor} added ${fullName(event.data.contact)}`);
    case 'contact.deleted':
      return plain(`${actor} deleted a contact`);
    case 'contact.restored':
      return plain(`${actor} brought back ${fullName(event.data.contact)}`);
    case 'activity.created':
      return event.data.activity.kind === 'note' ? plain(`${actor} wrote a note`) : null;
    case 'import.created':
      return plain(`${actor} started to import ${event.data.import.filename}`);
    case 'import.completed': {
      const { created, updated, filename } = event.data.import;
      return plain(
        `${filename} is imported: ${created.toLocaleString()} new, ${updated.toLocaleString()} updated`,
      );
    }
    case 'import.failed':
      return { text: `The import of ${event.data.import.filename} failed`, tone: 'bad' };
    case 'import.undone':
      return plain(`${actor} undid the import of ${event.data.import.filename}`);
    case 'presence.changed': {
      const { user, state, reason } = event.data.person;
      const why = reason ? ` (${aside(reason)})` : '';
      if (state === 'online') return plain(`${user.name} is available${why}`);
      if (state === 'away') return plain(`${user.name} is away${why}`);
      return state === 'offline' ? plain(`${user.name} went offline${why}`) : null;
    }
    case 'member.updated': {
      const { name, role, status } = event.data.member;
      return plain(status === 'deactivated' ? `${name} was deactivated` : `${name} is now ${role}`);
    }
    case 'job.dead':
      return { text: `A job gave up: ${words(event.data.job.kind).toLowerCase()}`, tone: 'bad' };
    default:
      return null;
  }
}
