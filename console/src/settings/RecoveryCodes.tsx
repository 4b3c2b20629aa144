import { Button, Checkbox, Code, CopyButton, Group, Modal, SimpleGrid, Stack, Text } from '@mantine/core';
import { useState } from 'react';

function download(codes: string[]) {
  const text = `Recovery codes for Ringside (${window.location.host}). Each works once.\n\n${codes.join('\n')}\n`;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = 'ringside-recovery-codes.txt';
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Shown this once: whoever loses the telephone needs one of them. */
export function RecoveryCodes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const [kept, setKept] = useState(false);
  return (
    <Modal
      opened
      onClose={onClose}
      title="Keep these recovery codes"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      size="lg"
    >
      <Stack gap="md">
        <Text>
          Each signs you in once when the telephone is lost. They are not shown again: print them, or put them
          into a password manager.
        </Text>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" aria-label="Recovery codes" role="list">
          {codes.map((code) => (
            <Code key={code} role="listitem" fz="sm" py={6} ta="center">
              {code}
            </Code>
          ))}
        </SimpleGrid>
        <Group gap="xs">
          <CopyButton value={codes.join('\n')}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy all'}
              </Button>
            )}
          </CopyButton>
          <Button variant="default" onClick={() => download(codes)}>
            Save as a file
          </Button>
        </Group>
        <Checkbox
          label="I have put them where I find them again"
          checked={kept}
          onChange={(event) => setKept(event.currentTarget.checked)}
        />
        <Group justify="flex-end">
          <Button disabled={!kept} onClick={onClose}>
            Done
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
