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
import { isAtLeast, useMay, useMe } from '../app/hooks';

/** `daily` rooms are always in sight; a phone keeps the others behind a button. */
export type Room = { to: string; label: string; icon: Icon; least: Role; daily?: boolean; needs?: string };

const ROOMS: Room[] = [
  {
    to: '/contacts',
    label: 'Contacts',
    icon: IconAddressBook,
    least: 'rep',
    needs: 'contacts:read',
    daily: true,
  },
  {
    to: '/dialer',
    label: 'Dialer',
    icon: IconPhoneOutgoing,
    least: 'rep',
    needs: 'queues:read',
    daily: true,
  },
  {
    to: '/floor',
    label: 'Floor',
    icon: IconActivityHeartbeat,
    least: 'rep',
    needs: 'floor:read',
    daily: true,
  },
  { to: '/inbox', label: 'Inbox', icon: IconInbox, least: 'rep', needs: 'mail:read', daily: true },
  { to: '/sequences', label: 'Sequences', icon: IconListNumbers, least: 'rep', needs: 'sequences:read' },
  { to: '/messages', label: 'Messages', icon: IconMessage, least: 'rep', needs: 'messages:read' },
  { to: '/tasks', label: 'Tasks', icon: IconChecklist, least: 'rep', needs: 'tasks:read' },
  { to: '/recordings', label: 'Recordings', icon: IconMicrophone, least: 'rep', needs: 'recordings:read' },
  { to: '/imports', label: 'Import', icon: IconFileImport, least: 'rep', needs: 'contacts:import' },
  { to: '/members', label: 'Members', icon: IconUsers, least: 'manager' },
  { to: '/jobs', label: 'Jobs', icon: IconStack2, least: 'rep', needs: 'jobs:read' },
  { to: '/settings', label: 'Settings', icon: IconSettings, least: 'rep' },
];

/** The room that an address is in, of those that not everybody has. */
export function roomAt(path: string): Room | undefined {
  return ROOMS.find((room) => path === room.to || path.startsWith(`${room.to}/`));
}

/** The rooms that this person's role opens. */
export function useRooms(): Room[] {
  const { role } = useMe();
  const may = useMay();
  return ROOMS.filter((room) => isAtLeast(role, room.least) && (!room.needs || may(room.needs)));
}
