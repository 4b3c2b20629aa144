import { hashKey, type QueryClient, type QueryFunctionContext, type QueryKey } from '@tanstack/react-query';
import { GROWS } from '../audit/grows';
import type { Change, LiveEvent } from './events';
import type { Cursor, EventLog } from './log';
import { reduceLastCall, reduceTimeline } from './reduce/calls';
import { reduceContact, reduceContactPages, reduceFacets, reduceSearch } from './reduce/contacts';
import { reduceFloor } from './reduce/floor';
import { reduceDialSession, reduceImport, reduceImports, reduceJobs, reduceMembers } from './reduce/rest';
import { type Reducer, Stale } from './reduce/shared';

/** By the first word of the query key. What has no reducer is not live. */
const REDUCERS = new Map<unknown, unknown>([
  ['contacts', reduceContactPages],
  ['search', reduceSearch],
  ['contact', reduceContact],
  ['facets', reduceFacets],
  ['timeline', reduceTimeline],
  ['last_call', reduceLastCall],
  ['floor', reduceFloor],
  ['imports', reduceImports],
  ['import', reduceImport],
  ['jobs', reduceJobs],
  ['members', reduceMembers],
  ['dial_session', reduceDialSession],
]);

/** What is simply read again when one of these happens: lists that are short, or change rarely. */
const REREADS = new Map<unknown, string[]>([
  ['plans', ['billing.changed', 'member.']],
  ['billing', ['billing.', 'member.']],
  ['invoices', ['billing.']],
  ['account', ['account.']],
  ['tasks', ['task.', 'handover.completed', 'record.erased']],
  ['contacts', ['handover.completed', 'record.erased', 'contact.handed_over']],
  ['contact', ['handover.completed', 'record.erased', 'contact.handed_over']],
  ['search', ['contact.handed_over']],
  ['visibility', ['visibility.']],
  ['second_factor', ['second_factor.']],
  ['invitations', ['invitation.', 'record.erased']],
  ['handovers', ['handover.']],
  ['belongings', ['handover.']],
  ['company', ['company.']],
  ['audit', GROWS],
  ['privacy', ['privacy_request.', 'retention.']],
  ['timeline', ['record.erased', 'contact.handed_over']],
  ['notifications', ['notification.', 'record.erased']],
  ['notification_settings', ['notification_settings.', 'company.']],
  ['push_devices', ['notification_settings.']],
  ['outbox', ['letter.']],
  ['sso', ['sso.']],
  ['dispositions', ['disposition.']],
  ['numbers', ['number.', 'team.', 'handover.completed']],
  ['teams', ['team.', 'member.']],
  ['roles', ['role.', 'member.']],
  ['members', ['role.']],
  ['api_keys', ['api_key.', 'member.']],
  ['webhooks', ['webhook.']],
  ['permit', ['suppression.', 'permit_settings.', 'quiet_days.', 'consent.']],
  ['permits', ['permit.']],
  ['permit_settings', ['permit_settings.']],
  ['suppressions', ['suppression.']],
  ['quiet_days', ['quiet_days.']],
  ['leases', ['lease.']],
  ['recordings', ['recording.', 'record.erased']],
  ['threads', ['message.', 'record.erased']],
  ['conversation', ['message.', 'record.erased']],
  ['alert_rules', ['alert_rules.']],
  ['mailboxes', ['mailbox.', 'handover.completed']],
  ['templates', ['template.', 'handover.completed']],
  ['sequences', ['sequence.', 'handover.completed']],
  ['sequence', ['sequence.', 'handover.completed']],
  ['sequence_results', ['sequence.progressed', 'enrolment.']],
  ['enrolments', ['enrolment.', 'sequence.progressed']],
  ['enrolment', ['enrolment.']],
  [
    'mail',
    ['handover.completed', 'mail.', 'lease.', 'mailbox.hidden', 'mailbox.disconnected', 'record.erased'],
  ],
  ['tracking', ['tracking']],
  ['consents', ['consent.']],
  ['listeners', ['call.listeners_changed', 'call.updated']],
  ['voice_settings', ['voice_settings.']],
  ['line_choice', ['line.']],
  ['voicemail_drops', ['voicemail_drop.']],
  ['queues', ['queue.', 'handover.completed']],
  ['queue', ['queue.', 'dial_session.', 'handover.completed']],
  ['dial_session', ['queue.updated']],
]);

/** A query that events make stale is read again at most once in this time. */
const REREAD_MS = 1000;

function isAddition(change: Change): boolean {
  return change.type.endsWith('.created') || change.type.endsWith('.restored');
}

/** The one place where events change what the console holds. */
export class Dispatcher {
  private rereads = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly client: QueryClient,
    private readonly log: EventLog,
  ) {}

  /** Applies a change to every cached query it concerns. */
  apply(change: Change | LiveEvent): void {
    for (const query of this.client.getQueryCache().getAll()) {
      const data = query.state.data;
      if (data === undefined) continue;
      const next = this.reduced(query.queryKey, data, change);
      if (next !== data) this.client.setQueryData(query.queryKey, next);
    }
  }

  /** Where the log stands now. */
  mark(): Cursor | null {
    return this.log.cursor;
  }

  /** The events that arrived after such a place. */
  since(place: Cursor | null): LiveEvent[] {
    return this.log.after(place);
  }

  /** Reads everything that is on the screen again, and the rest when it is next shown. */
  rereadAll(): void {
    void this.client.invalidateQueries();
  }

  /**
   * Wraps a query function so that events which arrived while the answer was on its way are applied to it.
   * `placeOf` gives the answer's own place in the log; without it, everything since the request began counts.
   */
  current<T>(read: (context: QueryFunctionContext) => Promise<T>, placeOf?: (data: T) => Cursor) {
    return async (context: QueryFunctionContext): Promise<T> => {
      const began = this.log.cursor;
      const data = await read(context);
      return this.caughtUp(context.queryKey, data, this.log.after(placeOf ? placeOf(data) : began));
    };
  }

  /** The same for one page of an infinite list. */
  currentPage<T>(read: (context: QueryFunctionContext<QueryKey, string | null>) => Promise<T>) {
    return async (context: QueryFunctionContext<QueryKey, string | null>): Promise<T> => {
      const began = this.log.cursor;
      const page = await read(context);
      const alone = { pages: [page], pageParams: [context.pageParam] };
      // What is new goes on top of the first page only.
      const events = this.log.after(began).filter((event) => !context.pageParam || !isAddition(event));
      return this.caughtUp(context.queryKey, alone, events).pages[0] ?? page;
    };
  }

  private caughtUp<T>(key: QueryKey, data: T, events: LiveEvent[]): T {
    return events.reduce((held, event) => this.reduced(key, held, event), data);
  }

  private reduced<T>(key: QueryKey, data: T, change: Change | LiveEvent): T {
    if (REREADS.get(key[0])?.some((prefix) => change.type.startsWith(prefix))) {
      this.reread(key);
      return data;
    }
    const reducer = REDUCERS.get(key[0]) as Reducer<T> | undefined;
    if (!reducer) return data;
    const next = reducer(data, change, key);
    if (!(next instanceof Stale)) return next;
    this.reread(key);
    return next.data;
  }

  private reread(key: QueryKey): void {
    const hash = hashKey(key);
    if (this.rereads.has(hash)) return;
    const timer = setTimeout(() => {
      this.rereads.delete(hash);
      void this.client.invalidateQueries({ queryKey: key, exact: true });
    }, REREAD_MS);
    this.rereads.set(hash, timer);
  }
}
