import type { PrivacyRequest } from '../api/types';
import type { Tone } from '../calls/states';

const WHOSE = { contact: 'a contact', member: 'a colleague', company: 'the company' } as const;

/** "Export of Ada Lovelace". */
export function title(request: PrivacyRequest): string {
  if (request.kind === 'retention') return 'What was older than it is kept';
  const whose = request.subject.name || WHOSE[request.subject.kind];
  return `${request.kind === 'export' ? 'Export' : 'Erasure'} of ${whose}`;
}

export function state(request: PrivacyRequest): { tone: Tone; text: string } {
  switch (request.state) {
    case 'waiting':
      return { tone: 'warn', text: 'Waiting' };
    case 'running':
      return { tone: 'plain', text: 'Under way' };
    case 'done':
      return { tone: 'good', text: request.kind === 'export' ? 'Ready' : 'Erased' };
    case 'failed':
      return { tone: 'bad', text: 'Failed' };
    case 'canceled':
      return { tone: 'plain', text: 'Taken back' };
  }
}

const MOST = 5;

/** "12 activities · 3 mail": what there was, the most first, and how much more. */
export function counted(request: PrivacyRequest, most = MOST): string {
  const all = Object.entries(request.counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count.toLocaleString()} ${name.replaceAll('_', ' ')}`);
  const rest = all.length - most;
  return [...all.slice(0, most), ...(rest > 0 ? [`${rest} more kinds`] : [])].join(' · ');
}

export function size(bytes: number | null): string {
  if (bytes === null) return '';
  if (bytes < 1_000_000) return `${Math.max(1, Math.round(bytes / 1000))} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
