import { Button, Modal, NumberInput, PasswordInput, Select, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { useConnectServer } from './mail';
import classes from './Settings.module.css';

const SECURITY = [
  { value: 'tls', label: 'TLS from the first byte' },
  { value: 'starttls', label: 'STARTTLS' },
];

type Security = 'tls' | 'starttls';
type Server = { host: string; port: number; security: Security };

function ServerFields(props: {
  name: string;
  of: Server;
  usual: [number, number];
  set: (s: Server) => void;
}) {
  const { name, of, usual, set } = props;
  return (
    <div className={classes.pair}>
      <TextInput
        label={`${name} server`}
        required
        placeholder={`${name.toLowerCase()}.example.com`}
        value={of.host}
        onChange={(event) => set({ ...of, host: event.currentTarget.value })}
      />
      <NumberInput
        label="Port"
        min={1}
        max={65535}
        value={of.port}
        onChange={(value) => set({ ...of, port: Number(value) || usual[0] })}
      />
      <Select
        label="Security"
        allowDeselect={false}
        data={SECURITY}
        value={of.security}
        onChange={(value) => {
          const security = (value ?? 'tls') as Security;
          set({ ...of, security, port: security === 'tls' ? usual[0] : usual[1] });
        }}
      />
    </div>
  );
}

/** A mailbox by IMAP and SMTP; it is tried at once. With an address, the password of that one is mended. */
export function ServerMailbox({ address: known = '', onClose }: { address?: string; onClose: () => void }) {
  const connect = useConnectServer();
  const [address, setAddress] = useState(known);
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [imap, setImap] = useState<Server>({ host: '', port: 993, security: 'tls' });
  const [smtp, setSmtp] = useState<Server>({ host: '', port: 465, security: 'tls' });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    connect.mutate(
      {
        address: address.trim(),
        username: username.trim() || address.trim(),
        password,
        imap_host: imap.host.trim(),
        imap_port: imap.port,
        imap_security: imap.security,
        smtp_host: smtp.host.trim(),
        smtp_port: smtp.port,
        smtp_security: smtp.security,
        since_days: 90,
      },
      {
        onSuccess: () => {
          notifyDone(`${address.trim()} is connected`);
          onClose();
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} size="lg" title={known ? `Connect ${known} again` : 'Connect a mailbox'}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <div className={classes.pair}>
          <TextInput
            label="Email address"
            type="email"
            required
            data-autofocus
            readOnly={known !== ''}
            value={address}
            onChange={(event) => setAddress(event.currentTarget.value)}
          />
          <TextInput
            label="User name"
            placeholder="The address, mostly"
            autoComplete="off"
            value={username}
            onChange={(event) => setUsername(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            required
            autoComplete="off"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        </div>
        <ServerFields name="IMAP" of={imap} usual={[993, 143]} set={setImap} />
        <ServerFields name="SMTP" of={smtp} usual={[465, 587]} set={setSmtp} />
        <Text size="xs" className="muted">
          The password is kept encrypted. Many providers want one made for this purpose (an app password).
        </Text>
        <FormFoot error={connect.error} onCancel={onClose}>
          <Button type="submit" loading={connect.isPending}>
            Try and connect
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
