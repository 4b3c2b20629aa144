import { Anchor, Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/errors';
import type { components } from '../api/schema';
import { FormFoot } from '../ui/FormFoot';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { moment } from '../ui/time';
import { type AccountSecurity, useBeginTotp, useNewCodes, useStartTotp, useStopTotp } from './account';
import { RecoveryCodes } from './RecoveryCodes';
import classes from './Settings.module.css';

type Begun = components['schemas']['TotpBegun'];

const grouped = (secret: string) => secret.replaceAll(/(.{4})/g, '$1 ').trim();

function SetUp({
  begun,
  onDone,
  onClose,
}: {
  begun: Begun;
  onDone: (codes: string[]) => void;
  onClose: () => void;
}) {
  const [code, setCode] = useState('');
  const start = useStartTotp();
  const field = start.error instanceof ApiError ? start.error.fields.code : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate(code, { onSuccess: ({ codes }) => onDone(codes) });
  };
  return (
    <Modal opened onClose={onClose} title="Set up an authenticator app">
      <form onSubmit={submit}>
        <Stack gap="md">
          <Text>1. Read this picture with your authenticator app.</Text>
          <img
            src={`data:image/svg+xml;utf8,${encodeURIComponent(begun.picture)}`}
            alt="QR code for your authenticator app"
            width={208}
            height={208}
            style={{ alignSelf: 'center', borderRadius: 8 }}
          />
          <Text size="sm" className="muted">
            Without a camera, type this into the app: <Code>{grouped(begun.secret)}</Code>. Is the app on this
            device? <Anchor href={begun.address}>Open it</Anchor>
          </Text>
          <TextInput
            label="2. Enter the code that the app shows"
            inputMode="numeric"
            autoComplete="one-time-code"
            required
            withAsterisk={false}
            data-autofocus
            value={code}
            error={field}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <FormFoot error={field ? null : start.error} onCancel={onClose}>
            <Button type="submit" loading={start.isPending}>
              Turn on
            </Button>
          </FormFoot>
        </Stack>
      </form>
    </Modal>
  );
}

function TurnOff({ onClose }: { onClose: () => void }) {
  const stop = useStopTotp();
  const go = () =>
    stop.mutate(undefined, {
      onSuccess: () => {
        notifyDone('No code is asked for any more');
        onClose();
      },
    });
  return (
    <Modal opened onClose={onClose} title="Turn the authenticator app off?">
      <Stack gap="md">
        <Text>Your password alone signs you in then, and your recovery codes are void.</Text>
        <FormFoot error={stop.error} onCancel={onClose}>
          <Button color="red" loading={stop.isPending} onClick={go}>
            Turn off
          </Button>
        </FormFoot>
      </Stack>
    </Modal>
  );
}

function codesLeft(left: number): string {
  if (left === 0) return 'No recovery codes are left: make new ones.';
  return `${left} recovery ${left === 1 ? 'code is' : 'codes are'} left.`;
}

type OnProps = { since: string; left: number; onCodes: () => void; making: boolean; onOff: () => void };

function On({ since, left, onCodes, making, onOff }: OnProps) {
  return (
    <div className={classes.row}>
      <div className={classes.grow}>
        <Text>On since {moment(since)}</Text>
        <Text size="xs" className="muted" style={left < 3 ? { color: 'var(--rs-warn)' } : undefined}>
          {codesLeft(left)}
        </Text>
      </div>
      <Group gap="xs">
        <Button variant="default" loading={making} onClick={onCodes}>
          New recovery codes
        </Button>
        <Button variant="subtle" color="red" onClick={onOff}>
          Turn off
        </Button>
      </Group>
    </div>
  );
}

/** Codes of an authenticator app beside the password, and what helps when the telephone is lost. */
export function AuthenticatorPart({ security }: { security: AccountSecurity }) {
  const begin = useBeginTotp();
  const renew = useNewCodes();
  const [begun, setBegun] = useState<Begun | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [ending, setEnding] = useState(false);
  const setUp = () => attempt(begin.mutateAsync(), 'The app could not be set up', setBegun);
  const newCodes = () =>
    attempt(renew.mutateAsync(), 'There are no new codes', (made) => setCodes(made.codes));
  return (
    <Panel title="Authenticator app">
      {security.totp_since ? (
        <On
          since={security.totp_since}
          left={security.recovery_codes}
          onCodes={newCodes}
          making={renew.isPending}
          onOff={() => setEnding(true)}
        />
      ) : (
        <div className={classes.row}>
          <div className={classes.grow}>
            <Text>Off</Text>
            <Text size="xs" className="muted">
              A stolen password is of no use without the code that your telephone shows.
            </Text>
          </div>
          <Button loading={begin.isPending} onClick={setUp}>
            Set up
          </Button>
        </div>
      )}
      {begun && (
        <SetUp
          begun={begun}
          onClose={() => setBegun(null)}
          onDone={(made) => {
            setBegun(null);
            setCodes(made);
          }}
        />
      )}
      {codes && <RecoveryCodes codes={codes} onClose={() => setCodes(null)} />}
      {ending && <TurnOff onClose={() => setEnding(false)} />}
    </Panel>
  );
}
