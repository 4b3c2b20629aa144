import { Alert, Anchor, Button, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { ApiError, inWords } from '../api/errors';
import { session } from '../app/services';
import { passkeyProblem, passkeysWork, signWithPasskey } from './passkeys';
import classes from './SignIn.module.css';
import type { SecondStep } from './session';

type Props = { step: SecondStep; onBack: (notice: string | null) => void };

/** What is needed besides the password: a code of the app, a recovery code, or a passkey. */
export function SecondStepForm({ step, onBack }: Props) {
  const [recovering, setRecovering] = useState(false);
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { passkey, token } = step;

  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      if (error instanceof ApiError && error.code === 'step_expired') return onBack(error.message);
      setProblem(error instanceof DOMException ? passkeyProblem(error) : inWords(error));
      setCode('');
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(() => session.finish(recovering ? { token, recovery_code: code } : { token, code }));
  };
  const byPasskey = () =>
    void run(async () => session.finish({ token, credential: await signWithPasskey(passkey ?? {}) }));

  return (
    <form className={classes.card} onSubmit={submit} aria-label="Second step">
      <Stack gap="md">
        <Title order={2}>One more step</Title>
        {problem && (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        )}
        <TextInput
          key={recovering ? 'recovery' : 'code'}
          label={recovering ? 'Recovery code' : 'Code of your authenticator app'}
          description={
            recovering
              ? 'One of the codes you kept. It works once.'
              : 'Six digits; they change every half minute.'
          }
          inputMode={recovering ? 'text' : 'numeric'}
          autoComplete="one-time-code"
          required
          withAsterisk={false}
          autoFocus
          size="md"
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Button type="submit" size="md" fullWidth loading={busy}>
          Go on
        </Button>
        {passkey && passkeysWork() && (
          <Button
            variant="default"
            size="md"
            fullWidth
            leftSection={<IconKey size={16} />}
            disabled={busy}
            onClick={byPasskey}
          >
            Use a passkey
          </Button>
        )}
        <Text ta="center" size="sm">
          {step.methods.includes('recovery_code') && (
            <>
              <Anchor
                component="button"
                type="button"
                size="sm"
                onClick={() => {
                  setRecovering(!recovering);
                  setCode('');
                }}
              >
                {recovering ? 'Use the app' : 'Telephone lost? Use a recovery code'}
              </Anchor>
              {' · '}
            </>
          )}
          <Anchor component="button" type="button" size="sm" onClick={() => onBack(null)}>
            Back
          </Anchor>
        </Text>
      </Stack>
    </form>
  );
}
