import { Button, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ApiError, inWords } from '../api/errors';
import classes from './States.module.css';

type EmptyProps = { icon: ReactNode; title: string; children?: ReactNode; action?: ReactNode };

/** Nothing here yet, and the next step. */
export function Empty({ icon, title, children, action }: EmptyProps) {
  return (
    <div className={classes.state}>
      <div className={classes.icon}>{icon}</div>
      <Text fw={600}>{title}</Text>
      {children && <Text className={classes.words}>{children}</Text>}
      {action && <div style={{ marginTop: 10 }}>{action}</div>}
    </div>
  );
}

/** Something could not be read, why, and a way to try again. */
export function Failure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div className={classes.state} data-bad role="alert">
      <div className={classes.icon}>
        <IconAlertTriangle size={20} />
      </div>
      <Text fw={600}>This could not be loaded</Text>
      <Text className={classes.words}>{inWords(error)}</Text>
      {error instanceof ApiError && error.requestId && (
        <Text size="xs" className="muted">
          Request {error.requestId}
        </Text>
      )}
      <Button variant="default" mt={10} onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

/** Grey bars in place of `rows` lines that are on their way. */
export function Loading({ rows = 6, height = 18 }: { rows?: number; height?: number }) {
  return (
    <Stack gap={14} p="md" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => `bar-${index}`).map((bar, index) => (
        <Skeleton key={bar} height={height} width={`${92 - ((index * 17) % 40)}%`} />
      ))}
    </Stack>
  );
}
