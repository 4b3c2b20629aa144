import { Button, Loader, Stack, Text } from '@mantine/core';
import { useEffect } from 'react';
import { session } from '../app/services';
import classes from './SignIn.module.css';

const AGAIN_MS = 3000;

export function Starting() {
  return (
    <main className={classes.screen} aria-busy="true">
      <Loader type="dots" aria-label="Loading" />
    </main>
  );
}

export function Unreachable() {
  useEffect(() => {
    const timer = setInterval(() => void session.refresh(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main className={classes.screen}>
      <Stack align="center" gap="xs" role="alert">
        <img src="/icon.svg" alt="" width={44} height={44} />
        <Text fw={600} size="lg">
          The server cannot be reached
        </Text>
        <Text className="muted">Trying again every few seconds.</Text>
        <Button variant="default" mt="sm" onClick={() => void session.refresh()}>
          Try now
        </Button>
      </Stack>
    </main>
  );
}
