import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { ApiError, inWords } from '../api/errors';
import { session } from '../app/services';
import { useSecond } from '../ui/time';
import classes from './SignIn.module.css';

function words(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return 'The email or the password is not right.';
  return inWords(error);
}

/** Seconds until another attempt is allowed. */
function useWait(until: number): number {
  useSecond();
  return Math.max(0, Math.ceil((until - Date.now()) / 1000));
}

export function SignIn({ notice }: { notice: string | null }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [blockedUntil, setBlockedUntil] = useState(0);
  const wait = useWait(blockedUntil);

  useEffect(() => {
    document.title = 'Sign in · Ringside';
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await session.login(email.trim(), password);
    } catch (error) {
      if (error instanceof ApiError && error.status === 429) {
        setBlockedUntil(Date.now() + (error.retryAfterS ?? 30) * 1000);
      } else {
        setProblem(words(error));
      }
      setBusy(false);
    }
  };

  const said =
    wait > 0
      ? `Too many attempts. You can try again in ${wait} ${wait === 1 ? 'second' : 'seconds'}.`
      : problem;
  return (
    <main className={classes.screen}>
      <div className={classes.box}>
        <div className={classes.brand}>
          <img src="/icon.svg" alt="" />
          <div>
            <Title order={1}>Ringside</Title>
            <Text className="muted">The sales floor, live</Text>
          </div>
        </div>
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
              autoComplete="username"
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
            <Button type="submit" size="md" fullWidth loading={busy} disabled={wait > 0}>
              Sign in
            </Button>
          </Stack>
        </form>
      </div>
    </main>
  );
}
