import { Anchor } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import { Link, Navigate, Route, Routes, useLocation } from 'react-router';
import { Suspended, useSuspended } from '../billing/Suspended';
import { ContactsPage } from '../contacts/ContactsPage';
import { FloorPage } from '../floor/FloorPage';
import { roomAt, useRooms } from '../shell/rooms';
import { Boundary } from '../ui/Boundary';
import { Page } from '../ui/Panel';
import { Empty, Loading } from '../ui/States';
import { isAtLeast, useMe } from './hooks';

const ImportsPage = lazy(() => import('../imports/ImportsPage'));
const NewImportPage = lazy(() => import('../imports/NewImportPage'));
const ImportPage = lazy(() => import('../imports/ImportPage'));
const RecordingsPage = lazy(() => import('../recordings/RecordingsPage'));
const CallsPage = lazy(() => import('../calls/CallsPage'));
const MessagesPage = lazy(() => import('../messages/MessagesPage'));
const DialerPage = lazy(() => import('../dialer/DialerPage'));
const InboxPage = lazy(() => import('../mail/InboxPage'));
const SequencesPage = lazy(() => import('../sequences/SequencesPage'));
const TasksPage = lazy(() => import('../tasks/TasksPage'));
const SettingsPage = lazy(() => import('../settings/SettingsPage'));
const MembersPage = lazy(() => import('../admin/MembersPage'));
const JobsPage = lazy(() => import('../admin/JobsPage'));

function NotFound() {
  return (
    <Page title="Page not found">
      <Empty
        icon={<IconMapQuestion size={20} />}
        title="There is nothing at this address"
        action={
          <Anchor component={Link} to="/">
            Go to the start
          </Anchor>
        }
      >
        The link may be old, or it leads to a room that your role does not have.
      </Empty>
    </Page>
  );
}

/** What is left to a company that is suspended. */
const WITHOUT_PAY = ['/settings', '/members'];

/** Which room is at which address. */
export function Rooms() {
  const { role } = useMe();
  const open = useRooms();
  const { pathname } = useLocation();
  const isSuspended = useSuspended() !== null;
  const room = roomAt(pathname);
  if (room && !open.includes(room)) return <NotFound />;
  if (isSuspended && !WITHOUT_PAY.some((at) => pathname.startsWith(at))) return <Suspended />;
  const floor = isAtLeast(role, 'manager') && open.some((each) => each.to === '/floor');
  const home = floor ? '/floor' : (open[0]?.to ?? '/settings');
  return (
    <Boundary at={pathname}>
      <Suspense fallback={<Loading />}>
        <Routes>
          <Route index element={<Navigate replace to={home} />} />
          <Route path="/contacts/:id?" element={<ContactsPage />} />
          <Route path="/floor" element={<FloorPage />} />
          <Route path="/recordings" element={<RecordingsPage />} />
          <Route path="/dialer/:id?" element={<DialerPage />} />
          <Route path="/calls" element={<CallsPage />} />
          <Route path="/messages/:id?" element={<MessagesPage />} />
          <Route path="/inbox/:id?" element={<InboxPage />} />
          <Route path="/sequences/:id?/:part?" element={<SequencesPage />} />
          <Route path="/tasks" element={<TasksPage />} />
          <Route path="/settings/:section?" element={<SettingsPage />} />
          <Route path="/imports" element={<ImportsPage />} />
          <Route path="/imports/new" element={<NewImportPage />} />
          <Route path="/imports/:id" element={<ImportPage />} />
          <Route path="/members" element={<MembersPage />} />
          <Route path="/jobs" element={<JobsPage />} />
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
    </Boundary>
  );
}
