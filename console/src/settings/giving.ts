import type { Mailbox, Member } from '../api/types';

const OTHERS: Record<Mailbox['visibility'], string> = {
  private: 'Nobody else sees it.',
  team: 'The team goes on seeing the mail that is not private.',
  everyone: 'Everyone in the company goes on seeing the mail that is not private.',
};

export function isOwnerGone(mailbox: Mailbox, members: Member[]): boolean {
  return members.some((each) => each.id === mailbox.user.id && each.status !== 'active');
}

/** Whether nothing is taken in or sent because nobody is there who may see it. */
export function rests(mailbox: Mailbox, ownerIsGone: boolean): boolean {
  return ownerIsGone && mailbox.visibility === 'private' && mailbox.state === 'paused';
}

/** Who can be given a mailbox: everybody who can sign in, but its owner. */
export function takers(mailbox: Mailbox, members: Member[]): Member[] {
  return members.filter((each) => each.status === 'active' && each.id !== mailbox.user.id);
}

/** What giving it means, line by line, before it is done. `meId` is who gives it. */
export function consequences(mailbox: Mailbox, taker: Member, meId: string, ownerIsGone: boolean): string[] {
  const toMe = taker.id === meId;
  const mine = mailbox.user.id === meId;
  const who = toMe ? 'You' : taker.name;
  const of = mine ? 'you' : mailbox.user.name;
  const lines = [
    `${who} ${toMe ? 'see' : 'sees'} all mail in it, older mail too, and also what was private to ${of}.`,
    `${OTHERS[mailbox.visibility]} ${who} ${toMe ? 'decide' : 'decides'} about that from now on.`,
    `${who} ${toMe ? 'write' : 'writes'} as ${mailbox.address}.`,
  ];
  if (mine) lines.push('You see its private mail no more, and cannot take it back.');
  if (rests(mailbox, ownerIsGone)) {
    lines.push('It goes on at once: mail that came meanwhile is taken in, and mail that waits is sent.');
  }
  return lines;
}
