import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconFingerprint } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { passkeyProblem, passkeysWork } from '../session/passkeys';
import { Ago } from '../ui/Elapsed';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty } from '../ui/States';
import { moment } from '../ui/time';
import {
  type AccountSecurity,
  type Passkey,
  useAddPasskey,
  useRemovePasskey,
  useRenamePasskey,
} from './account';
import classes from './Settings.module.css';

function NameForm(props: {
  title: string;
  go: string;
  name: string;
  busy: boolean;
  error: unknown;
  onGo: (name: string) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState(props.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    props.onGo(name.trim());
  };
  return (
    <Modal opened onClose={props.onClose} title={props.title}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput
            label="Name"
            description="So that you know it again, such as Work laptop."
            required
            withAsterisk={false}
            data-autofocus
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <FormFoot error={props.error} onCancel={props.onClose}>
            <Button type="submit" loading={props.busy} disabled={!name.trim()}>
              {props.go}
            </Button>
          </FormFoot>
        </Stack>
      </form>
    </Modal>
  );
}

/** What a browser's refusal says, or the server's. */
function told(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  const said = passkeyProblem(error);
  return said ? new Error(said) : null;
}

function Add({ onClose }: { onClose: () => void }) {
  const add = useAddPasskey();
  return (
    <NameForm
      title="Add a passkey"
      go="Go on"
      name=""
      busy={add.isPending}
      error={told(add.error)}
      onClose={onClose}
      onGo={(name) =>
        add.mutate(name, {
          onSuccess: () => {
            notifyDone(`${name} signs you in from now on`);
            onClose();
          },
        })
      }
    />
  );
}

function Rename({ passkey, onClose }: { passkey: Passkey; onClose: () => void }) {
  const rename = useRenamePasskey();
  return (
    <NameForm
      title="Rename the passkey"
      go="Rename"
      name={passkey.name}
      busy={rename.isPending}
      error={rename.error}
      onClose={onClose}
      onGo={(name) => rename.mutate({ id: passkey.id, name }, { onSuccess: onClose })}
    />
  );
}

function Remove({ passkey, onClose }: { passkey: Passkey; onClose: () => void }) {
  const remove = useRemovePasskey();
  return (
    <Modal opened onClose={onClose} title={`Remove ${passkey.name}?`}>
      <Stack gap="md">
        <Text>It signs you in no more. The device may still offer it until you delete it there, too.</Text>
        <FormFoot error={remove.error} onCancel={onClose}>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() => remove.mutate(passkey.id, { onSuccess: onClose })}
          >
            Remove
          </Button>
        </FormFoot>
      </Stack>
    </Modal>
  );
}

function Row({ passkey, onDo }: { passkey: Passkey; onDo: (what: 'rename' | 'remove') => void }) {
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={550}>{passkey.name}</Text>
        <Text size="xs" className="muted">
          {passkey.last_used_at ? (
            <>
              Last used <Ago at={passkey.last_used_at} />
            </>
          ) : (
            'Not used yet'
          )}{' '}
          · added {moment(passkey.created_at)}
          {passkey.synced && ' · on all your devices'}
        </Text>
      </div>
      <Group gap={4}>
        <Button
          size="compact-sm"
          variant="subtle"
          aria-label={`Rename ${passkey.name}`}
          onClick={() => onDo('rename')}
        >
          Rename
        </Button>
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          aria-label={`Remove ${passkey.name}`}
          onClick={() => onDo('remove')}
        >
          Remove
        </Button>
      </Group>
    </li>
  );
}

/** Passkeys: a finger, a face or a PIN in place of the password. */
export function PasskeysPart({ security }: { security: AccountSecurity }) {
  const [adding, setAdding] = useState(false);
  const [doing, setDoing] = useState<{ what: 'rename' | 'remove'; passkey: Passkey } | null>(null);
  const { passkeys, passkey_address: address } = security;
  const elsewhere = window.location.origin !== address;
  const button = (
    <Button
      size="compact-sm"
      variant="default"
      disabled={elsewhere || !passkeysWork()}
      onClick={() => setAdding(true)}
    >
      Add a passkey
    </Button>
  );
  const close = () => setDoing(null);
  return (
    <Panel title="Passkeys" aside={passkeys.length > 0 && button}>
      {!elsewhere && !passkeysWork() && (
        <Text size="sm" px="md" py="xs" className="muted" role="status">
          Browsers have passkeys only where the address begins with https.
        </Text>
      )}
      {elsewhere && (
        <Text size="sm" px="md" py="xs" className="muted" role="status">
          Passkeys belong to one address: they work where Ringside is open at {address}.
        </Text>
      )}
      {passkeys.length === 0 ? (
        <Empty icon={<IconFingerprint size={20} />} title="No passkeys yet" action={button}>
          With one you sign in by finger, face or PIN. There is nothing to type, and nothing to steal.
        </Empty>
      ) : (
        <ul className={classes.rows} aria-label="Passkeys">
          {passkeys.map((passkey) => (
            <Row key={passkey.id} passkey={passkey} onDo={(what) => setDoing({ what, passkey })} />
          ))}
        </ul>
      )}
      {adding && <Add onClose={() => setAdding(false)} />}
      {doing?.what === 'rename' && <Rename passkey={doing.passkey} onClose={close} />}
      {doing?.what === 'remove' && <Remove passkey={doing.passkey} onClose={close} />}
    </Panel>
  );
}
