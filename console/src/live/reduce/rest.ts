import type { DialSession, Import, Job, Member } from '../../api/types';
import { type Reducer, replaceIn, Stale } from './shared';

type List<T> = { data: T[]; next_cursor: string | null };

const PROGRESS: Record<Import['state'], number> = { queued: 0, running: 1, done: 2, failed: 2, undone: 3 };

function laterImport(known: Import, next: Import): Import {
  const step = PROGRESS[next.state] - PROGRESS[known.state];
  return step < 0 || (step === 0 && next.processed < known.processed) ? known : next;
}

export const reduceImports: Reducer<List<Import>> = (data, change) => {
  switch (change.type) {
    case 'import.created':
    case 'import.progressed':
    case 'import.completed':
    case 'import.failed':
    case 'import.undone': {
      const next = change.data.import;
      if (data.data.some((item) => item.id === next.id)) {
        return { ...data, data: replaceIn(data.data, next, laterImport) };
      }
      return { ...data, data: [next, ...data.data] };
    }
    default:
      return data;
  }
};

export const reduceImport: Reducer<Import> = (data, change) => {
  switch (change.type) {
    case 'import.created':
    case 'import.progressed':
    case 'import.completed':
    case 'import.failed':
    case 'import.undone':
      return change.data.import.id === data.id ? laterImport(data, change.data.import) : data;
    default:
      return data;
  }
};

export const reduceMembers: Reducer<List<Member>> = (data, change) => {
  if (change.type !== 'member.updated' && change.type !== 'member.joined') return data;
  const { member } = change.data;
  if (!data.data.some((item) => item.id === member.id)) return { ...data, data: [...data.data, member] };
  return { ...data, data: replaceIn(data.data, member) };
};

/** One's own session in the dialer. Whose another one is, only the server knows. */
export const reduceDialSession: Reducer<DialSession | null> = (data, change) => {
  if (change.type !== 'dial_session.changed') return data;
  const { session } = change.data;
  if (data?.id === session.id) return session.ended_at ? null : session;
  return data ?? new Stale(data);
};

/** Jobs come and go without events, except those that died and what became of them. */
export const reduceJobs: Reducer<List<Job>> = (data, change) =>
  change.type.startsWith('job.') ? new Stale(data) : data;
