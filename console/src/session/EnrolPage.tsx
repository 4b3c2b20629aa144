import { Alert, Button, Group, Stack, Text, Title } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useMe } from '../app/hooks';
import { queryClient, session, stepUp } from '../app/services';
import { AuthenticatorPart } from '../settings/AuthenticatorPart';
import { useSecurity } from '../settings/account';
import { PasskeysPart } from '../settings/PasskeysPart';
import { notifyFailure } from '../ui/notify';
import { Failure, Loading } from '../ui/States';
import { Entrance } from './Entrance';
import { StepUpDialog } from './StepUpDialog';

/** Goes on into the console; whoever signed in without the factor they have is asked for it. */
async function goOn(): Promise<boolean> {
  await session.refresh();
  if (!session.needsSecondFactor) return true;
  await stepUp.ask();
  return !session.needsSecondFactor;
}

function Ways() {
  const query = useSecurity();
  const [busy, setBusy] = useState(false);
  const [still, setStill] = useState(false);
  if (query.isPending) return <Loading rows={3} />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!query.data) return null;
  const has = query.data.totp_since !== null || query.data.passkeys.length > 0;
  const go = () => {
    setBusy(true);
    void goOn().then((isIn) => {
      setStill(!isIn);
      setBusy(false);
    });
  };
  return (
    <Stack gap="md">
      {still && <Alert color="red">Confirm with your authenticator app or your passkey to go on.</Alert>}
      <AuthenticatorPart security={query.data} />
      <PasskeysPart security={query.data} />
      {has && (
        <Button size="md" fullWidth loading={busy} onClick={go}>
          Go on
        </Button>
      )}
    </Stack>
  );
}

/** What there is for people whose company wants a second factor that they have not shown: set one up, or show it. */
export function EnrolPage() {
  const { tenant, tenants, user } = useMe();
  useEffect(() => () => queryClient.clear(), []);
  const others = tenants.filter((each) => each.id !== tenant.id);
  const change = (id: string) =>
    session.switchTo(id).catch((error) => notifyFailure('The company could not be changed', error));
  return (
    <Entrance title="Second factor">
      <Stack gap="md">
        <div>
          <Title order={2}>{tenant.name} asks for a second factor</Title>
          <Text mt={4}>
            Set up an authenticator app or a passkey, so that nobody gets in with your password alone. It
            takes a minute, and then you go on.
          </Text>
        </div>
        <Ways />
        <Group justify="space-between" gap="xs">
          <Text size="sm" className="muted">
            Signed in as {user.email}
          </Text>
          <Group gap="xs">
            {others.map((each) => (
              <Button key={each.id} variant="default" size="compact-sm" onClick={() => void change(each.id)}>
                Go to {each.name}
              </Button>
            ))}
            <Button variant="subtle" size="compact-sm" onClick={() => void session.logout(false)}>
              Sign out
            </Button>
          </Group>
        </Group>
      </Stack>
      <StepUpDialog />
    </Entrance>
  );
}
