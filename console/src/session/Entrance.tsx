import { Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import classes from './SignIn.module.css';

/** The frame of the pages before the console: the name, and one card. */
export function Entrance({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Ringside`;
  }, [title]);
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
        {children}
      </div>
    </main>
  );
}
