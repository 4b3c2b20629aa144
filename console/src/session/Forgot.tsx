import { Alert, Anchor, Button, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link } from 'react-router';
import { unwrap } from '../api/client';
import { inWords } from '../api/errors';
import { api } from '../app/services';
import { Entrance } from './Entrance';
import classes from './SignIn.module.css';

/** Asks for a letter with a link to choose a new password. Whether there is such an account, nobody learns. */
export default function Forgot() {
  const [email, setEmail] = useState('');
  const ask = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/auth/forgot', { body: { email: email.trim() } })),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate();
  };
  return (
    <Entrance title="Forgot your password?">
      <form className={classes.card} onSubmit={submit} aria-label="Forgot your password">
        <Stack gap="md">
          <Title order={2}>Forgot your password?</Title>
          {ask.isSuccess ? (
            <Alert color="petrol" role="status">
              If {email.trim()} has an account, a letter with a link is on its way. The link works for half an
              hour.
            </Alert>
          ) : (
            <>
              <Text className="muted">We send a link to choose a new one to your address.</Text>
              {ask.isError && (
                <Alert color="red" role="alert">
                  {inWords(ask.error)}
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
              <Button type="submit" size="md" fullWidth loading={ask.isPending}>
                Send the link
              </Button>
            </>
          )}
          <Anchor component={Link} to="/" ta="center">
            Back to sign-in
          </Anchor>
        </Stack>
      </form>
    </Entrance>
  );
}
