import { Alert, Anchor, Button, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { Link } from 'react-router';
import { unwrap } from '../api/client';
import { ApiError, inWords } from '../api/errors';
import { api, session } from '../app/services';
import { Entrance } from './Entrance';
import { NewPassword } from './NewPassword';
import classes from './SignIn.module.css';

function problemOf(error: unknown): { field: string | null; ended: boolean; said: string | null } {
  if (error === null) return { field: null, ended: false, said: null };
  const known = error instanceof ApiError ? error : null;
  const ended = known?.code === 'link_ended' || Boolean(known?.fields.token);
  const field = known?.fields.password ?? null;
  return { field, ended, said: ended || field ? null : inWords(error) };
}

/** Chooses a new password with the link of a letter. Opening the link does nothing yet. */
export default function Reset() {
  const [token] = useState(() => new URLSearchParams(window.location.search).get('token') ?? '');
  const [password, setPassword] = useState('');
  const choose = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/auth/reset', { body: { token, password } })),
    onSuccess: () => session.end('Your new password is set. Sign in with it.'),
  });
  // What opens the account should not stand in the history, nor be looked at over a shoulder.
  useEffect(() => window.history.replaceState(window.history.state, '', window.location.pathname), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    choose.mutate();
  };
  const { field, ended, said } = problemOf(choose.error);
  return (
    <Entrance title="Choose a new password">
      <form className={classes.card} onSubmit={submit} aria-label="Choose a new password">
        <Stack gap="md">
          <Title order={2}>Choose a new password</Title>
          {choose.isSuccess && (
            <Alert color="petrol" role="status">
              Your new password is set, and all your sessions were ended.
            </Alert>
          )}
          {(ended || !token) && (
            <Alert color="red" role="alert">
              This link was used already, or has run out.{' '}
              <Anchor component={Link} to="/forgot" inherit>
                Ask for a new one
              </Anchor>
            </Alert>
          )}
          {said && (
            <Alert color="red" role="alert">
              {said}
            </Alert>
          )}
          {!choose.isSuccess && !ended && token && (
            <>
              <Text className="muted">All your sessions end, and you sign in anew.</Text>
              <NewPassword value={password} onChange={setPassword} error={field} autoFocus />
              <Button type="submit" size="md" fullWidth loading={choose.isPending}>
                Set the password
              </Button>
            </>
          )}
          <Anchor component={Link} to="/" ta="center">
            {choose.isSuccess ? 'Sign in' : 'Back to sign-in'}
          </Anchor>
        </Stack>
      </form>
    </Entrance>
  );
}
