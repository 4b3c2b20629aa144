import { type ComponentType, lazy } from 'react';
import type { Role } from '../api/types';
import type { Feature } from '../billing/queries';

export type Section = {
  at: string;
  label: string;
  hint: string;
  least: Role;
  panel: ComponentType;
  needs?: string;
  /** What not every plan has. */
  feature?: Feature;
};

/** What can be set, by whom; each section is loaded when it is opened. */
export const SECTIONS: Section[] = [
  {
    at: 'profile',
    label: 'Profile',
    hint: 'What you are called',
    least: 'rep',
    panel: lazy(() => import('./ProfilePanel')),
  },
  {
    at: 'company',
    label: 'Company',
    hint: 'Name, time zone, ownership, and the way out',
    least: 'rep',
    panel: lazy(() => import('./CompanyPanel')),
  },
  {
    at: 'line',
    label: 'My telephone',
    hint: 'How you talk',
    least: 'rep',
    panel: lazy(() => import('./LinePanel')),
  },
  {
    at: 'notifications',
    label: 'Notifications',
    hint: 'What you are told, where, and when not',
    least: 'rep',
    panel: lazy(() => import('./NotificationsPanel')),
  },
  {
    at: 'voicemail',
    label: 'Voicemail messages',
    hint: 'What you leave on a machine',
    least: 'rep',
    panel: lazy(() => import('./DropsPanel')),
  },
  {
    at: 'security',
    label: 'Sign-in and security',
    hint: 'Your password, a second step, passkeys, and where you are signed in',
    least: 'rep',
    panel: lazy(() => import('./SecurityPanel')),
  },
  {
    at: 'sso',
    label: 'Single sign-on',
    hint: 'Your company’s own sign-in, and who has to use it',
    least: 'admin',
    feature: 'sso',
    panel: lazy(() => import('./SsoPanel')),
  },
  {
    at: 'second-factor',
    label: 'Second factor',
    hint: 'Whether everybody needs one, and who has none',
    least: 'admin',
    needs: 'security:write',
    panel: lazy(() => import('./SecondFactorPanel')),
  },
  {
    at: 'calls',
    label: 'Calls',
    hint: 'Ringing, wrap-up, listening and recording',
    least: 'manager',
    panel: lazy(() => import('./VoicePanel')),
  },
  {
    at: 'mailboxes',
    label: 'Mailboxes',
    hint: 'Where mail comes from and goes out',
    least: 'rep',
    panel: lazy(() => import('./MailboxesPanel')),
  },
  {
    at: 'templates',
    label: 'Templates',
    hint: 'Texts for mail, filled in with each contact’s values',
    least: 'rep',
    panel: lazy(() => import('../templates/TemplatesPanel')),
  },
  {
    at: 'tracking',
    label: 'Mail tracking',
    hint: 'Whether opens and clicks are looked for, and what counts',
    least: 'manager',
    panel: lazy(() => import('./TrackingPanel')),
  },
  {
    at: 'alerts',
    label: 'Alerts',
    hint: 'What managers are warned of on the floor',
    least: 'rep',
    needs: 'alerts:write',
    panel: lazy(() => import('./AlertsPanel')),
  },
  {
    at: 'numbers',
    label: 'Numbers',
    hint: 'Your telephone numbers and who answers them',
    least: 'rep',
    needs: 'numbers:write',
    panel: lazy(() => import('./NumbersPanel')),
  },
  {
    at: 'teams',
    label: 'Teams',
    hint: 'Who is rung together, and who manages whom',
    least: 'rep',
    needs: 'teams:write',
    panel: lazy(() => import('./TeamsPanel')),
  },
  {
    at: 'roles',
    label: 'Roles',
    hint: 'What people may do, by their role',
    least: 'rep',
    needs: 'roles:write',
    panel: lazy(() => import('./RolesPanel')),
  },
  {
    at: 'api-keys',
    label: 'API keys',
    hint: 'How programs act in your place, and how far',
    least: 'rep',
    needs: 'api_keys:write',
    panel: lazy(() => import('./ApiKeysPanel')),
  },
  {
    at: 'webhooks',
    label: 'Webhooks',
    hint: 'What happens here, sent to your other systems',
    least: 'rep',
    needs: 'webhooks:write',
    feature: 'webhooks',
    panel: lazy(() => import('./WebhooksPanel')),
  },
  {
    at: 'plan',
    label: 'Plan and invoices',
    hint: 'What your company has, what it costs, and every invoice',
    least: 'rep',
    needs: 'billing:read',
    panel: lazy(() => import('../billing/PlanPanel')),
  },
  {
    at: 'visibility',
    label: 'Visibility',
    hint: 'Whether members see everything, or what is their team’s or their own',
    least: 'rep',
    feature: 'visibility',
    panel: lazy(() => import('./VisibilityPanel')),
  },
  {
    at: 'dispositions',
    label: 'Dispositions',
    hint: 'How a call can go, and what follows',
    least: 'rep',
    panel: lazy(() => import('./DispositionsPanel')),
  },
  {
    at: 'compliance',
    label: 'Compliance',
    hint: 'Whom you may reach, when and how often, and what was decided',
    least: 'rep',
    panel: lazy(() => import('./CompliancePanel')),
  },
  {
    at: 'outbox',
    label: 'Outbox',
    hint: 'The letters that Ringside itself sends for the company',
    least: 'admin',
    panel: lazy(() => import('./OutboxPanel')),
  },
  {
    at: 'audit',
    label: 'Audit log',
    hint: 'Who did what to which, when and from where',
    least: 'rep',
    needs: 'audit:read',
    feature: 'audit_export',
    panel: lazy(() => import('../audit/AuditPanel')),
  },
  {
    at: 'privacy',
    label: 'Privacy',
    hint: 'What is kept of whom and for how long: to hand out, and to erase',
    least: 'rep',
    needs: 'privacy:export',
    panel: lazy(() => import('../privacy/PrivacyPanel')),
  },
];

/** The sections under what they are about, in the order in which they stand. */
export const GROUPS: { title: string; holds: string[] }[] = [
  { title: 'You', holds: ['profile', 'security', 'notifications', 'line', 'voicemail', 'api-keys'] },
  { title: 'Calls', holds: ['calls', 'numbers', 'dispositions', 'compliance', 'alerts'] },
  { title: 'Mail', holds: ['mailboxes', 'templates', 'tracking'] },
  { title: 'People', holds: ['teams', 'roles', 'visibility', 'sso', 'second-factor'] },
  { title: 'Company', holds: ['company', 'plan', 'webhooks', 'audit', 'privacy', 'outbox'] },
];
