import { type ComponentType, lazy } from 'react';
import type { Role } from '../api/types';

export type Section = { at: string; label: string; hint: string; least: Role; panel: ComponentType };

/** What can be set, by whom; each section is loaded when it is opened. */
export const SECTIONS: Section[] = [
  {
    at: 'line',
    label: 'My telephone',
    hint: 'How you talk',
    least: 'rep',
    panel: lazy(() => import('./LinePanel')),
  },
  {
    at: 'voicemail',
    label: 'Voicemail messages',
    hint: 'What you leave on a machine',
    least: 'rep',
    panel: lazy(() => import('./DropsPanel')),
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
    least: 'manager',
    panel: lazy(() => import('./AlertsPanel')),
  },
  {
    at: 'numbers',
    label: 'Numbers',
    hint: 'Your telephone numbers and who answers them',
    least: 'manager',
    panel: lazy(() => import('./NumbersPanel')),
  },
  {
    at: 'teams',
    label: 'Teams',
    hint: 'Who is rung together',
    least: 'manager',
    panel: lazy(() => import('./TeamsPanel')),
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
];
