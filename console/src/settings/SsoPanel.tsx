import { Button, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { useMe } from '../app/hooks';
import { ToneBadge } from '../calls/StateBadge';
import { FormFoot } from '../ui/FormFoot';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import classes from './Settings.module.css';
import { SsoDomains } from './SsoDomains';
import { SsoPeople } from './SsoPeople';
import { SsoProvider } from './SsoProvider';
import { type Sso, useEnforce, useSso } from './sso';

/** Who would be shut out, by name as far as the list goes. */
function Outside({ sso }: { sso: Sso }) {
  if (sso.outside_count === 0) return null;
  const more = sso.outside_count - sso.outside.length;
  return (
    <div className={classes.notice} role="status">
      <Text size="sm" fw={550}>
        {sso.outside_count === 1 ? 'One person' : `${sso.outside_count} people`} could not come through it now
      </Text>
      <Text size="sm">
        {sso.outside.map((each) => `${each.name} (${each.email})`).join(', ')}
        {more > 0 && ` and ${more} more`}. Prove the domains of their addresses, or let them connect their
        account under Settings, Sign-in and security.
      </Text>
    </div>
  );
}

function Confirm({ sso, onClose }: { sso: Sso; onClose: () => void }) {
  const { role } = useMe();
  const enforce = useEnforce();
  return (
    <Modal opened onClose={onClose} title={`Make ${sso.provider?.label} the only way in?`}>
      <Stack gap="md">
        <Text>
          Passwords, passkeys and Google no longer let anybody in to this company, but for its owners, who can
          still mend it. Whoever is signed in otherwise is signed out at once
          {role === 'owner' ? '.' : ', you too.'}
        </Text>
        <Outside sso={sso} />
        <FormFoot error={enforce.error} onCancel={onClose}>
          <Button loading={enforce.isPending} onClick={() => enforce.mutate(true, { onSuccess: onClose })}>
            Make it the only way in
          </Button>
        </FormFoot>
      </Stack>
    </Modal>
  );
}

/** Whether everybody has to come through the provider. */
function Enforcement({ sso }: { sso: Sso }) {
  const [asking, setAsking] = useState(false);
  const enforce = useEnforce();
  const { provider } = sso;
  if (!provider) return null;
  return (
    <Panel
      title="Who has to use it"
      aside={
        <ToneBadge tone={sso.enforced ? 'good' : 'plain'}>
          {sso.enforced ? 'Everybody' : 'Nobody has to'}
        </ToneBadge>
      }
    >
      <div className={classes.form}>
        {provider.tested_at ? (
          <Text size="sm">
            It works: somebody came through {moment(provider.tested_at)}. {sso.connected_count}{' '}
            {sso.connected_count === 1 ? 'person is' : 'people are'} known to it.
          </Text>
        ) : (
          <Text size="sm">
            Nobody has come through it yet. <Link to="/settings/security">Connect your own account</Link> with
            it to try it; then it can be made the only way in.
          </Text>
        )}
        {!sso.enforced && <Outside sso={sso} />}
        <FormFoot error={enforce.error}>
          {sso.enforced ? (
            <Button variant="default" loading={enforce.isPending} onClick={() => enforce.mutate(false)}>
              Let passwords in again
            </Button>
          ) : (
            <Button disabled={!provider.tested_at} onClick={() => setAsking(true)}>
              Make it the only way in
            </Button>
          )}
        </FormFoot>
      </div>
      {asking && <Confirm sso={sso} onClose={() => setAsking(false)} />}
    </Panel>
  );
}

/** How the company signs in: its provider, the domains it has proven, and whether everybody has to use it. */
export default function SsoPanel() {
  const query = useSso();
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!query.data) return null;
  return (
    <>
      <Panel title="Provider">
        {/* Made anew when somebody else changes it, and not when a domain is proven meanwhile. */}
        <SsoProvider key={query.data.provider?.updated_at ?? 'none'} sso={query.data} />
      </Panel>
      <SsoDomains domains={query.data.domains} />
      <Enforcement sso={query.data} />
      <SsoPeople sso={query.data} />
    </>
  );
}
