import type { ContactSort } from './types';

export type ContactFilters = {
  owner_id?: string;
  stage?: string;
  tag?: string;
  company?: string;
  updated_since?: string;
};

export type ContactListing = ContactFilters & { sort: ContactSort };

/** Query keys. The first word chooses the reducer that keeps the data up to date from events. */
export const keys = {
  contacts: (listing: ContactListing) => ['contacts', listing] as const,
  search: (q: string) => ['search', q] as const,
  contact: (id: string) => ['contact', id] as const,
  facets: () => ['facets'] as const,
  timeline: (contactId: string) => ['timeline', contactId] as const,
  lastCall: (userId: string) => ['last_call', userId] as const,
  dispositions: (archived = false) => ['dispositions', archived] as const,
  floor: () => ['floor'] as const,
  imports: () => ['imports'] as const,
  import: (id: string) => ['import', id] as const,
  jobs: (state: string) => ['jobs', state] as const,
  members: () => ['members'] as const,
  tasks: (filter: object) => ['tasks', filter] as const,
  notifications: () => ['notifications'] as const,
  numbers: () => ['numbers'] as const,
  teams: () => ['teams'] as const,
  permit: (contactId: string, phone: string) => ['permit', contactId, phone] as const,
  permits: (filter: object) => ['permits', filter] as const,
  permitSettings: () => ['permit_settings'] as const,
  permitRules: () => ['permit_rules'] as const,
  suppressions: (value: string) => ['suppressions', value] as const,
  quietDays: () => ['quiet_days'] as const,
  leases: () => ['leases'] as const,
  recordings: (filter: object) => ['recordings', filter] as const,
  threads: (unread: boolean) => ['threads', unread] as const,
  conversation: (contactId: string) => ['conversation', contactId] as const,
  consents: (contactId: string) => ['consents', contactId] as const,
  mailThreads: (filter: object) => ['mail', 'threads', filter] as const,
  mailThread: (id: string) => ['mail', 'thread', id] as const,
  mailSends: (state: string) => ['mail', 'sends', state] as const,
  mailDrafts: () => ['mail', 'drafts'] as const,
  mailDraft: (id: string) => ['mail_draft', id] as const,
  sequences: () => ['sequences'] as const,
  sequence: (id: string) => ['sequence', id] as const,
  sequenceResults: (id: string) => ['sequence_results', id] as const,
  enrolments: (of: object) => ['enrolments', of] as const,
  enrolment: (id: string) => ['enrolment', id] as const,
  templates: () => ['templates'] as const,
  templateVariables: () => ['template_variables'] as const,
  templateResults: (id: string) => ['template_results', id] as const,
  templatePreview: (body: object) => ['template_preview', body] as const,
  mailboxes: () => ['mailboxes'] as const,
  mailPrivacy: (id: string | null) => ['mail_privacy', id] as const,
  mailLabels: (id: string) => ['mail_labels', id] as const,
  tracking: () => ['tracking'] as const,
  trackingRules: () => ['tracking_rules'] as const,
  alertRules: () => ['alert_rules'] as const,
  listeners: (callId: string) => ['listeners', callId] as const,
  voiceSettings: () => ['voice_settings'] as const,
  lineChoice: () => ['line_choice'] as const,
  voicemailDrops: () => ['voicemail_drops'] as const,
  queues: () => ['queues'] as const,
  queue: (id: string) => ['queue', id] as const,
  queueItems: (id: string, state: string) => ['queue', id, 'items', state] as const,
  dialSession: () => ['dial_session'] as const,
};
