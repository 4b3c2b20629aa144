import { Alert, Anchor, Button, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { ApiError, inWords } from '../api/errors';
import { useSession } from '../app/hooks';
import { session } from '../app/services';
import { Entrance } from './Entrance';
import { type Joined, overWords, type Purpose, type Seen } from './letters';
import { NewPassword } from './NewPassword';
import { SignIn } from './SignIn';
import classes from './SignIn.module.css';
import { Starting } from './Waiting';

type CardProps = { title: string; what?: string; problem?: unknown; children?: ReactNode };

function Card({ title, what, problem, children }: CardProps) {
  return (
    <Stack gap="md">
      <div>
        <Title order={2}>{title}</Title>
        {what && (
          <Text className="muted" mt={6}>
            {what}
          </Text>
        )}
      </div>
      {Boolean(problem) && (
        <Alert color="red" role="alert">
          {typeof problem === 'string' ? problem : inWords(problem)}
        </Alert>
      )}
      {children}
    </Stack>
  );
}

function NewPerson({ purpose, seen, token }: { purpose: Purpose; seen: Seen; token: string }) {
  const navigate = useNavigate();
  const [name, setName] = useState(seen.name);
  const [password, setPassword] = useState('');
  const words = purpose.words(seen);
  const join = useMutation({
    mutationFn: () => purpose.asNewPerson({ token, name: name.trim(), password }),
    onSuccess: async (made) => {
      try {
        await session.login(made.email, password);
      } catch {
        session.end(`You are in. Sign in to ${made.company}.`);
      }
      navigate('/', { replace: true });
    },
  });
  const fields = join.error instanceof ApiError ? join.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    join.mutate();
  };
  return (
    <form className={classes.card} onSubmit={submit} aria-label={words.title}>
      <Card
        title={words.title}
        what={words.what}
        problem={join.error && !fields.name && !fields.password ? join.error : null}
      >
        {/* The password's keeper wants to know for whom it is. */}
        <TextInput label="Email" type="email" autoComplete="username" size="md" readOnly value={seen.email} />
        <TextInput
          label="Your name"
          autoComplete="name"
          required
          withAsterisk={false}
          autoFocus={!seen.name}
          size="md"
          maxLength={120}
          value={name}
          error={fields.name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NewPassword
          label="Choose a password"
          value={password}
          onChange={setPassword}
          error={fields.password}
          autoFocus={Boolean(seen.name)}
        />
        <Button type="submit" size="md" fullWidth loading={join.isPending} disabled={!name.trim()}>
          {words.button}
        </Button>
      </Card>
    </form>
  );
}

type KnownProps = {
  purpose: Purpose;
  seen: Seen;
  onAccept: () => Promise<Joined>;
  then: (made: Joined) => void;
};

function KnownPerson({ purpose, seen, onAccept, then }: KnownProps) {
  const words = purpose.words(seen);
  const accept = useMutation({ mutationFn: onAccept, onSuccess: then });
  return (
    <div className={classes.card}>
      <Card title={words.title} what={words.what} problem={accept.error}>
        <Text size="sm">
          With your account <strong>{seen.email}</strong>
        </Text>
        <Button size="md" fullWidth autoFocus loading={accept.isPending} onClick={() => accept.mutate()}>
          {words.button}
        </Button>
      </Card>
    </div>
  );
}

function OtherAccount({ mine, seen }: { mine: string; seen: Seen }) {
  return (
    <div className={classes.card}>
      <Card title={`This is for ${seen.email}`}>
        <Text>
          You are signed in as <strong>{mine}</strong>. Sign out, then sign in with the address that the
          letter went to.
        </Text>
        <Button size="md" fullWidth onClick={() => void session.logout(false)}>
          Sign out
        </Button>
        <Anchor component={Link} to="/" ta="center">
          Stay signed in
        </Anchor>
      </Card>
    </div>
  );
}

function Over({ said }: { said: string }) {
  return (
    <div className={classes.card}>
      <Card title="Nothing to do here" problem={said}>
        <Anchor component={Link} to="/" ta="center">
          Go to Ringside
        </Anchor>
      </Card>
    </div>
  );
}

function Open({ purpose, seen, token }: { purpose: Purpose; seen: Seen; token: string }) {
  const state = useSession();
  const navigate = useNavigate();
  if (!seen.has_account) return <NewPerson purpose={purpose} seen={seen} token={token} />;
  if (!seen.has_company) {
    const signIn = (made: Joined) => {
      session.end(`You are in. Sign in with your account to open ${made.company}.`);
      navigate('/', { replace: true });
    };
    return <KnownPerson purpose={purpose} seen={seen} onAccept={() => purpose.again(token)} then={signIn} />;
  }
  if (state.phase !== 'signed_in') return null;
  if (state.user.email.toLowerCase() !== seen.email.toLowerCase()) {
    return <OtherAccount mine={state.user.email} seen={seen} />;
  }
  const open = async (made: Joined) => {
    await session.refresh();
    await session.switchTo(made.tenant_id).catch(() => {});
    navigate('/', { replace: true });
  };
  return (
    <KnownPerson
      purpose={purpose}
      seen={seen}
      onAccept={() => purpose.asMyself(token)}
      then={(made) => void open(made)}
    />
  );
}

/** Where the link of a letter leads. Opening it does nothing yet. */
export function LetterPage({ purpose }: { purpose: Purpose }) {
  const state = useSession();
  const [token] = useState(() => new URLSearchParams(window.location.search).get('token') ?? '');
  const look = useQuery({
    queryKey: ['letter', purpose.title, token],
    queryFn: () => purpose.look(token),
    enabled: Boolean(token),
    retry: false,
    refetchOnWindowFocus: false,
  });
  // What lets somebody in should not stand in the history, nor be looked at over a shoulder.
  useEffect(() => window.history.replaceState(window.history.state, '', window.location.pathname), []);
  if (state.phase === 'starting' || (token && look.isPending)) return <Starting />;
  const seen = look.data;
  if (seen?.state === 'open' && seen.has_company && state.phase === 'signed_out') {
    return <SignIn notice={`Sign in as ${seen.email} to go on with ${seen.company}.`} />;
  }
  return (
    <Entrance title={purpose.title}>
      {!token && <Over said="The link is not whole. Open it from the letter once more." />}
      {look.isError && <Over said={inWords(look.error)} />}
      {seen && seen.state !== 'open' && <Over said={overWords(seen.state)} />}
      {seen?.state === 'open' && <Open purpose={purpose} seen={seen} token={token} />}
    </Entrance>
  );
}
