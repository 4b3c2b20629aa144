import type { Contact } from '../api/types';

type Named = Pick<Contact, 'first_name' | 'last_name' | 'company' | 'emails' | 'phones'>;

/** How a contact is called: the name, or else the first thing known about it. */
export function fullName(contact: Named): string {
  const name = [contact.first_name, contact.last_name].filter(Boolean).join(' ');
  return (
    name || contact.company || contact.emails[0]?.address || contact.phones[0]?.e164 || 'Unnamed contact'
  );
}

/** +15083301661 -> +1 508 330 1661; numbers of other plans stay as they are. */
export function readable(e164: string): string {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(e164);
  return parts ? `+1 ${parts[1]} ${parts[2]} ${parts[3]}` : e164;
}

/** "left_voicemail" -> "Left voicemail". */
export function words(value: string): string {
  const spaced = value.replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
