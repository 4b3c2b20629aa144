import { Group, Title } from '@mantine/core';
import { type ReactNode, useEffect, useId } from 'react';
import classes from './Panel.module.css';

type PanelProps = { title: string; aside?: ReactNode; className?: string; children: ReactNode };

/** A titled box; a region of its own for screen readers. */
export function Panel({ title, aside, className, children }: PanelProps) {
  const id = useId();
  return (
    <section className={`${classes.panel} ${className ?? ''}`} aria-labelledby={id}>
      <header className={classes.head}>
        <Title order={2} id={id}>
          {title}
        </Title>
        {aside}
      </header>
      {children}
    </section>
  );
}

type PageProps = { title: string; beside?: ReactNode; actions?: ReactNode; children: ReactNode };

/** A room of the console: title, what stands beside it, actions, and the content below. */
export function Page({ title, beside, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Ringside`;
  }, [title]);
  return (
    <section className={classes.page} aria-label={title}>
      <header className={classes.pageHead}>
        <div className={classes.titles}>
          <Title order={1}>{title}</Title>
          {beside}
        </div>
        <Group gap="xs">{actions}</Group>
      </header>
      {children}
    </section>
  );
}

/** The scrolling part of a page that is not a table. */
export function PageBody({ children }: { children: ReactNode }) {
  return <div className={classes.scroll}>{children}</div>;
}
