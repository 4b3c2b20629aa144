import { Button, Group, Text } from '@mantine/core';
import { IconPhone, IconPhoneOff } from '@tabler/icons-react';
import { softphone } from '../app/services';
import classes from '../calls/CallBar.module.css';
import { readable } from '../contacts/naming';
import { useSoftphone } from './hooks';

/** The browser's telephone while it rings, and what is wrong with its line. */
export function Ringer() {
  const { phase, from, warning } = useSoftphone();
  if (phase === 'ringing') {
    return (
      <section className={classes.bar} data-tone="warn" aria-label="Incoming call">
        <div className={classes.line}>
          <div className={classes.who} role="alert">
            <strong>Incoming call</strong>
            <div className="muted tabular">{from && readable(from)}</div>
          </div>
          <Group gap="xs">
            <Button leftSection={<IconPhone size={16} aria-hidden />} onClick={() => softphone.answer()}>
              Answer
            </Button>
            <Button
              color="red"
              variant="light"
              leftSection={<IconPhoneOff size={16} aria-hidden />}
              onClick={() => softphone.reject()}
            >
              Decline
            </Button>
          </Group>
        </div>
      </section>
    );
  }
  if (!warning) return null;
  return (
    <Text role="status" size="xs" px={24} py={6} style={{ color: 'var(--rs-warn)' }}>
      {warning}
    </Text>
  );
}
