import type { Belongings, Handover, Kind } from './joining';

type Choice = { kind: Kind; label: string; of: (keyof Belongings)[]; needsSomebody?: boolean; hint?: string };

/** What can be handed over, and what of a person's belongings that is. */
export const CHOICES: Choice[] = [
  { kind: 'contacts', label: 'Contacts', of: ['contacts'] },
  { kind: 'tasks', label: 'Open tasks', of: ['tasks'] },
  {
    kind: 'sequences',
    label: 'Sequences',
    of: ['sequences', 'enrolments'],
    hint: 'With the people who are in them',
  },
  { kind: 'conversations', label: 'Assigned conversations', of: ['conversations'] },
  { kind: 'queues', label: 'Promised calls back', of: ['callbacks'], hint: 'And a place in their queues' },
  { kind: 'numbers', label: 'Telephone numbers', of: ['numbers'] },
  { kind: 'templates', label: 'Templates', of: ['templates'], needsSomebody: true },
  {
    kind: 'mailboxes',
    label: 'Mailboxes',
    of: ['mailboxes'],
    needsSomebody: true,
    hint: 'Whoever takes over reads all the mail that is in them',
  },
];

/** How much of a kind there is. */
export function amount(choice: Choice, had: Belongings | undefined): number {
  return choice.of.reduce((sum, name) => sum + (had?.[name] ?? 0), 0);
}

/** What is suggested: everything there is, but the mail. */
export function suggested(had: Belongings | undefined): Kind[] {
  return CHOICES.filter((choice) => amount(choice, had) > 0 && choice.kind !== 'mailboxes').map(
    (choice) => choice.kind,
  );
}

/** What may be chosen: without somebody who takes over not everything can go. */
export function allowed(kinds: Kind[], toId: string | null): Kind[] {
  return toId ? kinds : kinds.filter((kind) => !CHOICES.find((each) => each.kind === kind)?.needsSomebody);
}

/** How far a handover is, from 0 to 100. */
export function percent(handover: Handover): number {
  if (handover.state === 'done') return 100;
  const whole = CHOICES.filter((choice) => handover.kinds.includes(choice.kind))
    .flatMap((choice) => choice.of)
    .reduce((sum, name) => sum + (handover.counts[name] ?? 0), 0);
  const done = Object.entries(handover.done)
    .filter(([name]) => name in handover.counts)
    .reduce((sum, [, many]) => sum + many, 0);
  return whole ? Math.min(99, Math.round((done / whole) * 100)) : 0;
}

/** 1,204 contacts, 3 tasks. */
export function doneWords(handover: Handover): string {
  const said = CHOICES.flatMap((choice) => choice.of)
    .map((name) => [name, handover.done[name] ?? 0] as const)
    .filter(([, many]) => many > 0)
    .map(([name, many]) => `${many.toLocaleString('en')} ${WORDS[name][many === 1 ? 0 : 1]}`);
  return said.join(', ');
}

const WORDS: Record<keyof Belongings, [string, string]> = {
  contacts: ['contact', 'contacts'],
  tasks: ['task', 'tasks'],
  sequences: ['sequence', 'sequences'],
  enrolments: ['person in a sequence', 'people in sequences'],
  conversations: ['conversation', 'conversations'],
  callbacks: ['call back', 'calls back'],
  templates: ['template', 'templates'],
  numbers: ['number', 'numbers'],
  mailboxes: ['mailbox', 'mailboxes'],
};
