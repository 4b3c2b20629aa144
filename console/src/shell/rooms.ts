import {
  type Icon,
  IconActivityHeartbeat,
  IconAddressBook,
  IconChecklist,
  IconFileImport,
  IconInbox,
  IconListNumbers,
  IconMessage,
  IconMicrophone,
  IconPhoneOutgoing,
  IconSettings,
  IconStack2,
  IconUsers,
} from '@tabler/icons-react';
import type { Role } from '../api/types';
import { isAtLeast, useMe } from '../app/hooks';

/** `daily` rooms are always in sight; a phone keeps the others behind a button. */
export type Room = { to: string; label: string; icon: Icon; least: Role; daily?: boolean };

const ROOMS: Room[] = [
  { to: '/contacts', label: 'Contacts', icon: IconAddressBook, least: 'rep', daily: true },
  { to: '/dialer', label: 'Dialer', icon: IconPhoneOutgoing, least: 'rep', daily: true },
  { to: '/floor', label: 'Floor', icon: IconActivityHeartbeat, least: 'rep', daily: true },
  { to: '/inbox', label: 'Inbox', icon: IconInbox, least: 'rep', daily: true },
  { to: '/sequences', label: 'Sequences', icon: IconListNumbers, least: 'rep' },
  { to: '/messages', label: 'Messages', icon: IconMessage, least: 'rep' },
  { to: '/tasks', label: 'Tasks', icon: IconChecklist, least: 'rep' },
  { to: '/recordings', label: 'Recordings', icon: IconMicrophone, least: 'rep' },
  { to: '/imports', label: 'Import', icon: IconFileImport, least: 'rep' },
  { to: '/members', label: 'Members', icon: IconUsers, least: 'manager' },
  { to: '/jobs', label: 'Jobs', icon: IconStack2, least: 'admin' },
  { to: '/settings', label: 'Settings', icon: IconSettings, least: 'rep' },
];

/** The rooms that this person's role opens. */
export function useRooms(): Room[] {
  const { role } = useMe();
  return ROOMS.filter((room) => isAtLeast(role, room.least));
}
