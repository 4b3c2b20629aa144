import { Alert, Button, Text } from '@mantine/core';
import { IconBrandGoogle, IconBuilding } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import { useSearchParams } from 'react-router';
import { ssoProblem } from '../session/landing';
import { Ago } from '../ui/Elapsed';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import classes from './Settings.module.css';
import { useConnect, useConnected, useDisconnect } from './sso';

/** What the browser came back from a provider with; it stays until it is closed. */
function Landing() {
  const [query, setQuery] = useSearchParams();
  const [problem] = useState(ssoProblem(query.get('sso_problem')));
  const connected = query.get('connected') === '1';
  const close = () => setQuery({}, { replace: true });
  // There is much above it, and this is why one came here.
  const intoView = useCallback((node: HTMLElement | null) => node?.scrollIntoView({ block: 'center' }), []);
  if (!problem && !connected) return null;
  return (
    <Alert
      ref={intoView}
      m="md"
      color={problem ? 'red' : 'petrol'}
      role={problem ? 'alert' : 'status'}
      withCloseButton
      closeButtonLabel="Close"
      onClose={close}
    >
      {problem ?? 'Connected. From now on it signs you in.'}
    </Alert>
  );
}

/** What one can sign in with elsewhere: Google, and the company’s own sign-in. */
export function ConnectedPart() {
  const query = useConnected();
  const connect = useConnect();
  const disconnect = useDisconnect();
  const known = query.data;
  const all = known?.data ?? [];
  const go = (google: boolean) => attempt(connect.mutateAsync(google), 'The provider could not be reached');
  const remove = (id: string, label: string) =>
    attempt(disconnect.mutateAsync(id), 'It stays connected', () =>
      notifyDone(`${label} signs you in no more`),
    );
  const mayGoogle = known?.google && !all.some((each) => !each.company);
  const mayCompany = known?.company && !all.some((each) => each.company);
  if (known && all.length === 0 && !mayGoogle && !mayCompany) return null;
  return (
    <Panel title="Connected accounts">
      <Landing />
      {query.isPending && <Loading rows={2} />}
      {query.isError && !known && <Failure error={query.error} onRetry={() => query.refetch()} />}
      <ul className={classes.rows} aria-label="Connected accounts">
        {all.map((each) => (
          <li key={each.id} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={550}>{each.label}</Text>
              <Text size="xs" className="muted">
                {each.email}
                {each.company ? ' · at this company only' : ''} · connected {moment(each.linked_at)}
                {each.last_used_at && (
                  <>
                    {' '}
                    · last used <Ago at={each.last_used_at} />
                  </>
                )}
              </Text>
            </div>
            <Button
              size="compact-sm"
              variant="subtle"
              color="red"
              aria-label={`Disconnect ${each.label}`}
              loading={disconnect.isPending}
              onClick={() => remove(each.id, each.label)}
            >
              Disconnect
            </Button>
          </li>
        ))}
        {mayCompany && (
          <li className={classes.row}>
            <Text className={classes.grow}>{known.company}</Text>
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<IconBuilding size={14} />}
              loading={connect.isPending}
              onClick={() => go(false)}
            >
              Connect
            </Button>
          </li>
        )}
        {mayGoogle && (
          <li className={classes.row}>
            <Text className={classes.grow}>Google</Text>
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<IconBrandGoogle size={14} />}
              loading={connect.isPending}
              onClick={() => go(true)}
            >
              Connect
            </Button>
          </li>
        )}
      </ul>
    </Panel>
  );
}
