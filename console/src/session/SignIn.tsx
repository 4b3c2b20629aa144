import { Alert, Anchor, Button, Divider, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { Link } from 'react-router';
import { ApiError, inWords } from '../api/errors';
import { session } from '../app/services';
import { useSecond } from '../ui/time';
import { Entrance } from './Entrance';
import { passkeyProblem, passkeysWork, signWithPasskey } from './passkeys';
import { SecondStepForm } from './SecondStepForm';
import classes from './SignIn.module.css';
import { SignUpLink } from './SignUpLink';
import { SsoButtons } from './SsoButtons';
import type { SecondStep } from './session';
import { takeLanding } from './sso';
import { useOfferedPasskey } from './useOfferedPasskey';

function words(error: unknown): string | null {
  if (error instanceof DOMException) return passkeyProblem(error);
  if (error instanceof ApiError && error.code === 'wrong_credentials')
    return 'The email or the password is not right.';
  return inWords(error);
}

/** Seconds until another attempt is allowed. */
function useWait(until: number): number {
  useSecond();
  return Math.max(0, Math.ceil((until - Date.now()) / 1000));
}

/** 95 seconds are "2 minutes": nobody counts more closely. */
function patience(wait: number): string {
  if (wait <= 90) return `${wait} ${wait === 1 ? 'second' : 'seconds'}`;
  return `${Math.ceil(wait / 60)} minutes`;
}

type FormProps = { notice: string | null; onSecondStep: (step: SecondStep) => void };

function SignInForm({ notice, onSecondStep }: FormProps) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState<'password' | 'passkey' | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [blockedUntil, setBlockedUntil] = useState(0);
  const wait = useWait(blockedUntil);

  const run = async (how: 'password' | 'passkey', work: () => Promise<SecondStep | null>) => {
    setBusy(how);
    setProblem(null);
    try {
      const step = await work();
      if (step) onSecondStep(step);
    } catch (error) {
      if (error instanceof ApiError && error.status === 429) {
        setBlockedUntil(Date.now() + (error.retryAfterS ?? 30) * 1000);
      } else {
        setProblem(words(error));
      }
      setBusy(null);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run('password', () => session.login(email.trim(), password));
  };
  const withdrawOffer = useOfferedPasskey({
    onSigned: (work) =>
      void run('passkey', async () => {
        await work();
        return null;
      }),
  });
  const byPasskey = () =>
    void run('passkey', async () => {
      withdrawOffer();
      const { token, options } = await session.askForPasskey();
      await session.loginWithPasskey(token, await signWithPasskey(options));
      return null;
    });

  const said = wait > 0 ? `Too many attempts. You can try again in ${patience(wait)}.` : problem;
  return (
    <form className={classes.card} onSubmit={submit} aria-label="Sign in">
      <Stack gap="md">
        {notice && !said && <Alert color="petrol">{notice}</Alert>}
        {said && (
          <Alert color="red" role="alert">
            {said}
          </Alert>
        )}
        <TextInput
          label="Email"
          type="email"
          name="email"
          autoComplete="username webauthn"
          required
          withAsterisk={false}
          autoFocus
          size="md"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          size="md"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
        />
        <Button type="submit" size="md" fullWidth loading={busy === 'password'} disabled={wait > 0}>
          Sign in
        </Button>
        <Text ta="center" size="sm">
          <Anchor component={Link} to="/forgot" size="sm">
            Forgot your password?
          </Anchor>
        </Text>
        <Divider label="or" />
        {passkeysWork() && (
          <Button
            variant="default"
            size="md"
            fullWidth
            leftSection={<IconKey size={16} />}
            loading={busy === 'passkey'}
            onClick={byPasskey}
          >
            Use a passkey
          </Button>
        )}
        <SsoButtons email={email.trim()} onProblem={(error) => setProblem(words(error))} />
        <SignUpLink />
      </Stack>
    </form>
  );
}

export function SignIn({ notice }: { notice: string | null }) {
  // Read once, before the address is cleared: in development components begin twice.
  const [landing] = useState(takeLanding);
  const [step, setStep] = useState<SecondStep | null>(landing.step);
  const [said, setSaid] = useState<string | null>(landing.problem);
  const back = (words: string | null) => {
    setStep(null);
    setSaid(words);
  };
  return (
    <Entrance title="Sign in">
      {step ? (
        <SecondStepForm step={step} onBack={back} />
      ) : (
        <SignInForm notice={said ?? notice} onSecondStep={setStep} />
      )}
    </Entrance>
  );
}
