import type { components } from './schema';

type Schemas = components['schemas'];

export type Role = Schemas['PersonUser']['role'];
export type Membership = Omit<Schemas['Membership'], 'role'> & { role: Role };
export type Tokens = Omit<Schemas['SignedIn'], 'role' | 'tenants'> & { role: Role; tenants: Membership[] };
export type Member = Omit<Schemas['Member'], 'role'> & { role: Role };
export type Contact = Schemas['Contact'];
export type ContactInput = Schemas['ContactIn'];
export type Custom = NonNullable<ContactInput['custom']>;
export type ContactPage = Schemas['ContactPage'];
export type Phone = Schemas['Phone'];
export type Facets = Schemas['Facets'];
export type Call = Schemas['Call'];
export type CallState = Call['state'];
export type DispositionValue = NonNullable<Call['disposition']>;
export type Activity = Schemas['Activity'];
export type ActivityPage = Schemas['ActivityPage'];
export type Import = Schemas['Import'];
export type ImportPreview = Omit<Schemas['Preview'], 'rows'> & { rows: PreviewRow[] };
/** A row that cannot be read at all has no contact in it. */
export type PreviewRow = Omit<Schemas['PreviewRow'], 'contact'> & { contact: Partial<Omit<Contact, 'id'>> };
export type Person = Schemas['Person'];
export type Floor = Omit<Schemas['Floor'], 'recent'> & { recent: WireEvent[] };
export type WireEvent = Schemas['LiveEvent'];
export type Job = Schemas['JobOut'];
export type Task = Schemas['Task'];
export type Notification = Schemas['Notification'];
export type Disposition = Schemas['Disposition'];
export type OwnRole = Schemas['OwnRole'];
export type Permission = Schemas['Permission'];
export type ApiKey = Schemas['ApiKey'];
export type NewApiKey = Schemas['NewApiKey'];
export type Team = Schemas['Team'];
export type PhoneNumber = Schemas['Number'];
export type Permit = Schemas['PermitOut'];
export type PermitLook = Schemas['PermitLook'];
export type PermitSettings = Schemas['PermitSettings'];
export type Suppression = Schemas['Suppression'];
export type QuietDay = Schemas['QuietDay'];
export type Recording = Schemas['Recording'];
export type Lease = Schemas['Lease'];
export type CallLeg = Schemas['CallLeg'];
export type VoiceSettings = Schemas['VoiceSettings'];
export type LineChoice = Schemas['LineChoice'];
export type VoicemailDrop = Schemas['VoicemailDrop'];
export type Queue = Schemas['Queue'];
export type QueueItem = Schemas['Item'];
export type QueueProgress = Schemas['Progress'];
export type DialSession = Schemas['Session'];
export type DialCard = Schemas['Card'];
export type Message = Schemas['Message'];
export type Thread = Schemas['Thread'];
export type Consent = Schemas['Consent'];
export type MailThread = Schemas['MailThread'];
export type MailThreadWhole = Schemas['MailThreadWithItems'];
export type MailMessage = Schemas['MailMessage'];
export type MailAddress = Schemas['MailAddress'];
export type MailDraft = Schemas['MailDraft'];
export type MailSend = Schemas['MailSend'];
export type Schedule = Omit<Schemas['ScheduleModel'], 'days'> & { days?: Record<string, number[]> };
export type Sequence = Omit<Schemas['SequenceOut'], 'schedule'> & { schedule: Schedule };
export type SequenceStep = Schemas['StepOut'];
export type StepIn = Schemas['StepIn'];
export type VariantIn = Schemas['VariantIn'];
export type Enrolment = Schemas['Enrolment'];
export type EnrolmentWithRuns = Schemas['EnrolmentWithRuns'];
export type Simulation = Schemas['Simulation'];
export type SequenceResults = Schemas['SequenceResults'];
export type Template = Schemas['Template'];
export type TemplatePreview = Schemas['TemplatePreview'];
export type Meeting = Schemas['Meeting'];
export type Mailbox = Schemas['Mailbox'];
export type PrivacyRuleIn = Schemas['PrivacyRuleIn'];
export type TrackingDomain = Schemas['TrackingDomain'];
export type TrackingSettings = Schemas['TrackingSettings'];
export type AlertRules = Schemas['AlertRules'];
export type AvailableNumber = Schemas['Available'];

export type AuditEntry = Schemas['AuditEntryOut'];
export type PrivacyRequest = Schemas['PrivacyRequest'];
export type Retention = Schemas['Retention'];

/** Orders in which the server can list contacts. */
export type ContactSort =
  | 'created_at'
  | '-created_at'
  | 'updated_at'
  | '-updated_at'
  | 'name'
  | '-name'
  | 'company'
  | '-company';
