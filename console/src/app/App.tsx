import { useEffect } from 'react';
import { SignIn } from '../session/SignIn';
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
    </Shell>
  );
}

export function App() {
  const state = useSession();
  switch (state.phase) {
    case 'starting':
      return <Starting />;
    case 'unreachable':
      return <Unreachable />;
    case 'signed_out':
      return <SignIn notice={state.notice} />;
    case 'signed_in':
      return <Console key={`${state.tenant.id}/${state.user.id}`} />;
  }
}
