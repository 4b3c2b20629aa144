import { Button, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { inWords } from '../api/errors';

type Props = { error: unknown; onCancel?: () => void; cancel?: string; children: ReactNode };

/** The end of a form: what was wrong, the way out where there is one, and the button that does it. */
export function FormFoot({ error, onCancel, cancel = 'Cancel', children }: Props) {
  return (
    <>
      {Boolean(error) && (
        <Text c="red" role="alert">
          {inWords(error)}
        </Text>
      )}
      <Group justify="flex-end" gap="xs">
        {onCancel && (
          <Button variant="subtle" color="gray" onClick={onCancel}>
            {cancel}
          </Button>
        )}
        {children}
      </Group>
    </>
  );
}
