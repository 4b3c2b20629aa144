import { Failure, Loading } from '../ui/States';
import { AuthenticatorPart } from './AuthenticatorPart';
import { useSecurity } from './account';
import { ConnectedPart } from './ConnectedPart';
import { PasskeysPart } from './PasskeysPart';
import { PasswordPart } from './PasswordPart';
import { SessionsPart } from './SessionsPart';

/** How one signs in, and where one is signed in. */
export default function SecurityPanel() {
  const query = useSecurity();
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!query.data) return null;
  return (
    <>
      <PasswordPart security={query.data} />
      <AuthenticatorPart security={query.data} />
      <PasskeysPart security={query.data} />
      <ConnectedPart />
      <SessionsPart />
    </>
  );
}
