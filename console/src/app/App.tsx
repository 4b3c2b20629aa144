import { Suspense, useEffect } from 'react';
import { useLocation } from 'react-router';
import { PushLink } from '../notifications/PushLink';
import { EnrolPage } from '../session/EnrolPage';
import { PAGES } from '../session/pages';
import { SignIn } from '../session/SignIn';
import { StepUpDialog } from '../session/StepUpDialog';
import { Starting, Unreachable } from '../session/Waiting';
import { Shell } from '../shell/Shell';
import { useSession } from './hooks';
import { Rooms } from './Rooms';
import { link, queryClient } from './services';

/** One company's console for one person; another company or person gets a new one. */
function Console() {
  useEffect(() => {
    link.start();
    return () => {
      link.stop();
      queryClient.clear();
    };
  }, []);
  return (
    <Shell>
      <Rooms />
      <PushLink />
      <StepUpDialog />
    </Shell>
  );
}

export function App() {
  const state = useSession();
  const Page = PAGES[useLocation().pathname];
  if (Page)
    return (
      <Suspense fallback={<Starting />}>
        <Page />
      </Suspense>
    );
  switch (state.phase) {
    case 'starting':
      return <Starting />;
    case 'unreachable':
      return <Unreachable />;
    case 'signed_out':
      return <SignIn notice={state.notice} />;
    case 'signed_in':
      if (state.needsSecondFactor) return <EnrolPage key={state.tenant.id} />;
      return <Console key={`${state.tenant.id}/${state.user.id}`} />;
  }
}
