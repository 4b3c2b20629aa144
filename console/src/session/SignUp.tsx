import { Alert, Anchor, Button, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconMailCheck } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link } from 'react-router';
import { unwrap } from '../api/client';
import { ApiError, inWords } from '../api/errors';
import { api } from '../app/services';
import { Entrance } from './Entrance';
import classes from './SignIn.module.css';
import { useSignUpIsOpen } from './SignUpLink';

function Sent({ email }: { email: string }) {
  return (
    <div className={classes.card}>
      <Stack gap="md" align="center" ta="center" role="status">
        <IconMailCheck size={36} aria-hidden />
        <Title order={2}>Look into your mail</Title>
        <Text>
          If <strong>{email}</strong> can be reached, a letter is on its way. Follow its link within a day,
          and your company is ready.
        </Text>
        <Text size="sm" className="muted">
          Nothing there after some minutes? Look into the spam folder, or sign up once more.
        </Text>
        <Anchor component={Link} to="/">
          Back to sign-in
        </Anchor>
      </Stack>
    </div>
  );
}

function Form() {
  const [company, setCompany] = useState('');
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  const signUp = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/signup', {
          body: { company: company.trim(), name: name.trim(), email: email.trim(), zone },
        }),
      ),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signUp.mutate();
  };
  if (signUp.isSuccess) return <Sent email={email.trim()} />;
  const fields = signUp.error instanceof ApiError ? signUp.error.fields : {};
  const said = fields.company || fields.name || fields.email ? null : signUp.error;
  return (
    <form className={classes.card} onSubmit={submit} aria-label="Sign your company up">
      <Stack gap="md">
        <Title order={2}>Sign your company up</Title>
        {said && (
          <Alert color="red" role="alert">
            {inWords(said)}
          </Alert>
        )}
        <TextInput
          label="Company"
          autoComplete="organization"
          required
          withAsterisk={false}
          autoFocus
          size="md"
          maxLength={200}
          value={company}
          error={fields.company}
          onChange={(event) => setCompany(event.currentTarget.value)}
        />
        <TextInput
          label="Your name"
          autoComplete="name"
          required
          withAsterisk={false}
          size="md"
          maxLength={120}
          value={name}
          error={fields.name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Email"
          description="A letter with a link goes there. You choose a password after that."
          type="email"
          autoComplete="email"
          required
          withAsterisk={false}
          size="md"
          value={email}
          error={fields.email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Button type="submit" size="md" fullWidth loading={signUp.isPending}>
          Sign up
        </Button>
        <Text ta="center" size="sm" className="muted">
          You have an account?{' '}
          <Anchor component={Link} to="/" size="sm">
            Sign in
          </Anchor>
        </Text>
      </Stack>
    </form>
  );
}

/** A company that is not here yet asks for a letter. */
export default function SignUp() {
  const query = useSignUpIsOpen();
  return (
    <Entrance title="Sign up">
      {query.data?.open === false ? (
        <div className={classes.card}>
          <Stack gap="md">
            <Alert color="petrol">
              Companies can’t sign up here by themselves. Ask whoever runs this Ringside.
            </Alert>
            <Anchor component={Link} to="/" ta="center">
              Back to sign-in
            </Anchor>
          </Stack>
        </div>
      ) : (
        <Form />
      )}
    </Entrance>
  );
}
