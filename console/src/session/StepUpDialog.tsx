import { Alert, Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState, useSyncExternalStore } from 'react';
import { ApiError, inWords } from '../api/errors';
import { session, stepUp } from '../app/services';
import { Loading } from '../ui/States';
import { passkeyProblem, passkeysWork, signWithPasskey } from './passkeys';
import type { ConfirmAsk } from './session';

function words(error: unknown): string {
  if (error instanceof ApiError && error.code === 'not_confirmed') return 'That does not fit. Try again.';
  return inWords(error);
}

type Doing = { busy: boolean; problem: string | null; run: (work: () => Promise<void>) => void };

/** Runs one confirmation at a time; the dialog closes by itself when it held. */
function useConfirming(): Doing {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = (work: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    work()
      .then(() => stepUp.done(true))
      .catch((error) => setProblem(error instanceof DOMException ? passkeyProblem(error) : words(error)))
      .finally(() => setBusy(false));
  };
  return { busy, problem, run };
}

function ByText({ method, doing }: { method: 'password' | 'totp'; doing: Doing }) {
  const [value, setValue] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    doing.run(() => session.confirm(method === 'totp' ? { code: value } : { password: value }));
    setValue('');
  };
  const shared = { required: true, withAsterisk: false, value, 'data-autofocus': true };
  return (
    <form onSubmit={submit} aria-label="Confirm">
      <Stack gap="sm">
        {method === 'totp' ? (
          <TextInput
            {...shared}
            label="Code of your authenticator app"
            inputMode="numeric"
            autoComplete="one-time-code"
            onChange={(event) => setValue(event.currentTarget.value)}
          />
        ) : (
          <PasswordInput
            {...shared}
            label="Password"
            autoComplete="current-password"
            onChange={(event) => setValue(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          />
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" color="gray" onClick={() => stepUp.done(false)}>
            Cancel
          </Button>
          <Button type="submit" loading={doing.busy} disabled={!value}>
            Confirm
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Ways({ ask, again }: { ask: ConfirmAsk; again: () => void }) {
  const doing = useConfirming();
  const text = ask.methods.find((method) => method === 'totp' || method === 'password');
  const { passkey, token } = ask;
  const byPasskey = () =>
    doing.run(async () => {
      try {
        const credential = await signWithPasskey(passkey ?? {});
        await session.confirm({ token, credential });
      } finally {
        again();
      }
    });
  return (
    <Stack gap="md">
      {doing.problem && (
        <Alert color="red" role="alert">
          {doing.problem}
        </Alert>
      )}
      {passkey && passkeysWork() && (
        <Button
          variant={text ? 'default' : 'filled'}
          leftSection={<IconKey size={16} />}
          loading={doing.busy}
          onClick={byPasskey}
        >
          Confirm with a passkey
        </Button>
      )}
      {text && <ByText method={text} doing={doing} />}
      {ask.methods.includes('sign_in_again') && (
        <>
          <Text>Your account has no password of its own. Sign out and in again, then go on.</Text>
          <Button onClick={() => void session.logout(false)}>Sign out</Button>
        </>
      )}
    </Stack>
  );
}

function Body() {
  const query = useQuery({
    queryKey: ['confirm'],
    queryFn: () => session.askToConfirm(),
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  if (query.isPending) return <Loading rows={2} />;
  if (query.isError)
    return (
      <Alert color="red" role="alert">
        {inWords(query.error)}
      </Alert>
    );
  return <Ways ask={query.data} again={() => void query.refetch()} />;
}

/** Asks once more who is there, whenever something dangerous wants to know; the request then goes on by itself. */
export function StepUpDialog() {
  const open = useSyncExternalStore(stepUp.subscribe, stepUp.snapshot);
  // Who signs out meanwhile has thought better of it.
  useEffect(() => () => stepUp.done(false), []);
  return (
    <Modal opened={open} onClose={() => stepUp.done(false)} title="Confirm that it is you" zIndex={400}>
      <Stack gap="md">
        <Text className="muted">What comes next is protected. For ten minutes you are not asked again.</Text>
        {open && <Body />}
      </Stack>
    </Modal>
  );
}
