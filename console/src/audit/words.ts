import type { AuditEntry } from '../api/types';

const SAID: Record<string, string> = {
  'session.opened': 'Signed in',
  'session.switched': 'Went on in this company',
  'session.ended': 'Was signed out',
  'sign_in.failed': 'Tried to sign in, in vain, as',
  'sign_in.locked': 'Failed to sign in a hundred times in a row, so that the password was locked, as',
  'account.confirm_failed': 'Could not confirm to be',
  'account.password_changed': 'Changed their password',
  'account.password_reset': 'Chose a new password by letter',
  'account.recovered': 'Was let in again by who runs the server:',
  'account.totp_on': 'Set up an authenticator app',
  'account.totp_off': 'Removed the authenticator app',
  'account.recovery_codes_made': 'Made new recovery codes',
  'account.passkey_added': 'Added a passkey',
  'account.passkey_renamed': 'Renamed a passkey',
  'account.passkey_removed': 'Removed a passkey',
  'account.sessions_ended': 'Ended sessions of their own',
  'member.updated': 'Changed the role or status of',
  'company.updated': 'Changed the company',
  'company.transferred': 'Made somebody else the owner:',
  'visibility.changed': 'Changed who sees what',
  'second_factor.changed': 'Set whether everybody has to have a second factor',
  'sso.updated': 'Changed how people sign in with the company’s own sign-in',
  'sso.member_connected': 'Signed in with the company’s own sign-in for the first time',
  'member.joined': 'Joined the company:',
  'member.left': 'Left the company:',
  'invitation.created': 'Invited somebody',
  'invitation.sent': 'Sent an invitation again',
  'invitation.withdrawn': 'Withdrew an invitation',
  'invitation.accepted': 'Accepted an invitation',
  'handover.started': 'Began to hand over what was owned',
  'handover.completed': 'Handed over what was owned',
  'permit.overridden': 'Set a refusal aside',
  'suppression.added': 'Put somebody on the list of those not to be reached',
  'suppression.removed': 'Took somebody off the list of those not to be reached',
  'quiet_days.updated': 'Changed the quiet days',
  'queue.created': 'Made a calling queue',
  'queue.deleted': 'Deleted a calling queue',
  'sequence.created': 'Made the sequence',
  'sequence.state_changed': 'Started, paused or ended the sequence',
  'sequence.deleted': 'Deleted a sequence',
  'disposition.created': 'Made a disposition',
  'disposition.updated': 'Changed a disposition',
  'disposition.archived': 'Archived a disposition',
  'voicemail_drop.created': 'Made a voicemail message',
  'voicemail_drop.deleted': 'Deleted a voicemail message',
  'job.retried': 'Had a job tried again',
  'job.dropped': 'Dropped a job',
  'team.created': 'Made the team',
  'team.updated': 'Changed the team',
  'team.deleted': 'Deleted a team',
  'role.created': 'Made a role',
  'role.updated': 'Changed a role',
  'role.deleted': 'Deleted a role',
  'api_key.created': 'Made an API key',
  'api_key.ended': 'Ended an API key',
  'webhook.created': 'Set up a webhook',
  'webhook.updated': 'Changed a webhook',
  'webhook.state_changed': 'Stopped a webhook or let it go on',
  'webhook.deleted': 'Deleted a webhook',
  'webhook.secret_rotated': 'Changed the secret of a webhook',
  'webhook.secret_shown': 'Looked at the secret of a webhook',
  'webhook.replayed': 'Had events sent again to a webhook',
  'call.listened': 'Listened in on a call with',
  'call.whispered': 'Whispered in a call with',
  'call.joined': 'Joined a call with',
  'recording.listened': 'Listened to the recording of a call with',
  'recording.read': 'Read what was said in a call with',
  'recording.deleted': 'Deleted the recording of a call with',
  'mail.read': 'Read a conversation in the mailbox',
  'mail.saved': 'Saved a message from the mailbox',
  'mail.file_saved': 'Saved a file from the mailbox',
  'mailbox.connected': 'Connected the mailbox',
  'mailbox.updated': 'Changed the mailbox',
  'mailbox.disconnected': 'Disconnected the mailbox',
  'contact.deleted': 'Deleted the contact',
  'contact.restored': 'Restored the contact',
  'consent.changed': 'Noted the consent of',
  'import.created': 'Began the import',
  'import.completed': 'The import is done:',
  'import.failed': 'The import failed:',
  'import.failures_exported': 'Downloaded the rows that failed of the import',
  'import.undone': 'Took back the import',
  'number.created': 'Bought the number',
  'number.updated': 'Changed the number',
  'number.released': 'Released the number',
  'plan.checkout_opened': 'Went to buy a plan',
  'plan.portal_opened': 'Went to change the card or tax details',
  'plan.changed': 'Changed the plan or its seats',
  'plan.cancelled': 'Cancelled the plan',
  'plan.second_ended': 'Ended a plan that was bought twice',
  'plan.features_changed': 'The plan put features to rest, or brought them back',
  'plan.kept': 'Took back the cancellation of the plan',
  'plan.code_used': 'Used a promotion code',
  'billing.changed': 'The plan or how the company stands changed',
  'audit.exported': 'Exported this log',
  'export.asked': 'Asked for all data of',
  'export.downloaded': 'Downloaded all data of',
  'erasure.asked': 'Asked to erase',
  'erasure.canceled': 'Took back the erasure of',
  'erasure.done': 'Erased',
  'retention.updated': 'Set how long things are kept',
  'voice_settings.updated': 'Changed the settings of calls',
  'permit_settings.updated': 'Changed the rules of outreach',
  'tracking_settings.updated': 'Changed the tracking of mail',
  'alert_rules.updated': 'Changed the alerts',
};

/** "webhook_endpoint.secret_rotated" in words, for what has no sentence of its own: "Webhook endpoint: secret rotated". */
function plainly(action: string): string {
  const [noun = '', ...rest] = action.replaceAll('_', ' ').split('.');
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}: ${rest.join(' ')}`;
}

export function said(action: string): string {
  return SAID[action] ?? plainly(action);
}

/** What an action is listed as in the filter. */
export function label(action: string): string {
  return (SAID[action] ?? plainly(action)).replace(/(:| of| with|, in vain, as| to be)$/, '');
}

const NAMELESS: Record<string, string> = {
  company: 'the company',
  contact: 'a contact who is gone',
  member: 'somebody who is gone',
  recording: 'somebody who is gone',
};

/** Who did it. Nobody knows who tried to sign in in vain. */
export function who(entry: AuditEntry): string {
  if (entry.actor) return entry.actor.name ?? 'Somebody who is gone';
  return ['sign_in.failed', 'account.confirm_failed'].includes(entry.action) ? 'Somebody' : 'Ringside';
}

/** Whom or what it was done to, as far as it still has a name; not said again when they did it to themselves. */
export function subject(entry: AuditEntry): string {
  if (!entry.subject || entry.subject.id === entry.actor?.id) return '';
  if (entry.subject.name) return entry.subject.name;
  // "Deleted the contact" is a sentence already.
  return said(entry.action).endsWith(` the ${entry.subject.kind}`)
    ? ''
    : (NAMELESS[entry.subject.kind] ?? '');
}

const BROWSERS = [/(Edg|OPR)\//, /(Firefox|Chrome|Safari)\//, /(curl|python-requests|okhttp)/i];
const SYSTEMS = /(Windows|iPhone|iPad|Android|Mac OS X|Linux)/;

/** "Firefox on Windows", from what a browser says of itself; what says something else is shown as it is. */
export function device(agent: string): string {
  const browser = BROWSERS.map((each) => agent.match(each)?.[1]).find(Boolean);
  const system = agent.match(SYSTEMS)?.[1]?.replace('Mac OS X', 'macOS');
  if (!browser) return agent.slice(0, 60);
  const named = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser;
  return system ? `${named} on ${system}` : named;
}

function shown(value: unknown): string {
  if (value === true) return 'yes';
  if (value === false || value === null) return 'no';
  return String(value);
}

/** What is known of it beyond: "role: manager · status: active"; ids are nobody's reading. */
export function details(entry: AuditEntry): string {
  const parts: string[] = [];
  const walk = (values: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(values)) {
      if (name === 'id' || name.endsWith('_id') || name === 'updated_at' || value === '') continue;
      if (Array.isArray(value)) {
        if (value.length > 0) parts.push(`${name.replaceAll('_', ' ')}: ${value.map(shown).join(', ')}`);
      } else if (value && typeof value === 'object') walk(value as Record<string, unknown>);
      else if (name === 'device') parts.push(device(String(value)));
      else parts.push(`${name.replaceAll('_', ' ')}: ${shown(value)}`);
    }
  };
  walk(entry.details);
  return parts.join(' · ');
}
