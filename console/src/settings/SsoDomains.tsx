import { Button, Select, Text, TextInput } from '@mantine/core';
import { IconWorld } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { ToneBadge } from '../calls/StateBadge';
import { FormFoot } from '../ui/FormFoot';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty } from '../ui/States';
import { moment } from '../ui/time';
import classes from './Settings.module.css';
import { type Mailbox, type ProvenDomain, useAskDomain, useProveDomain, useRemoveDomain } from './sso';

const MAILBOXES = ['postmaster', 'admin', 'administrator', 'hostmaster', 'webmaster'];

/** The code of the letter, for a domain that is not proven yet. */
function Code({ domain }: { domain: ProvenDomain }) {
  const [code, setCode] = useState('');
  const prove = useProveDomain();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    prove.mutate(
      { value: domain.domain, code },
      { onSuccess: () => notifyDone(`${domain.domain} is proven`) },
    );
  };
  return (
    <form onSubmit={submit} style={{ flexBasis: '100%' }} aria-label={`Prove ${domain.domain}`}>
      <div className={classes.pair}>
        <TextInput
          label="Code of the letter"
          placeholder="ABCDE-FGHJK-LMNPQ-RSTUV"
          autoComplete="off"
          required
          withAsterisk={false}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <FormFoot error={prove.error}>
          <Button type="submit" variant="default" loading={prove.isPending} disabled={!code.trim()}>
            Prove
          </Button>
        </FormFoot>
      </div>
    </form>
  );
}

function Row({ domain }: { domain: ProvenDomain }) {
  const remove = useRemoveDomain();
  const go = () =>
    attempt(remove.mutateAsync(domain.domain), 'The domain stays', () =>
      notifyDone(`${domain.domain} is let go`),
    );
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={550}>{domain.domain}</Text>
        <Text size="xs" className="muted">
          {domain.verified_at
            ? `Proven ${moment(domain.verified_at)}`
            : `A letter with a code went to ${domain.sent_to} ${moment(domain.sent_at)}`}
        </Text>
      </div>
      <ToneBadge tone={domain.verified_at ? 'good' : 'warn'}>
        {domain.verified_at ? 'Proven' : 'Not proven yet'}
      </ToneBadge>
      <Button
        size="compact-sm"
        variant="subtle"
        color="red"
        aria-label={`Let ${domain.domain} go`}
        loading={remove.isPending}
        onClick={go}
      >
        Let go
      </Button>
      {!domain.verified_at && <Code domain={domain} />}
    </li>
  );
}

/** The mail domains whose addresses the provider may speak for. */
export function SsoDomains({ domains }: { domains: ProvenDomain[] }) {
  const [domain, setDomain] = useState('');
  const [mailbox, setMailbox] = useState<string>('postmaster');
  const ask = useAskDomain();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate(
      { domain, mailbox: mailbox as Mailbox },
      {
        onSuccess: () => {
          notifyDone(`A letter is on its way to ${mailbox}@${domain}`);
          setDomain('');
        },
      },
    );
  };
  return (
    <Panel title="Mail domains">
      {domains.length === 0 && (
        <Empty icon={<IconWorld size={20} />} title="No domain is proven yet">
          People are recognised by their address once its domain is known to be yours. Whoever looks after the
          domain’s mail gets a letter with a code, and you enter that here.
        </Empty>
      )}
      <ul className={classes.rows} aria-label="Domains">
        {domains.map((each) => (
          <Row key={each.domain} domain={each} />
        ))}
      </ul>
      <form className={classes.form} onSubmit={submit} aria-label="Add a domain">
        <div className={classes.pair}>
          <TextInput
            label="Domain"
            placeholder="example.com"
            required
            withAsterisk={false}
            value={domain}
            onChange={(event) => setDomain(event.currentTarget.value.trim().toLowerCase())}
          />
          <Select
            label="Letter to"
            allowDeselect={false}
            data={MAILBOXES.map((name) => ({ value: name, label: `${name}@${domain || '…'}` }))}
            value={mailbox}
            onChange={(value) => setMailbox(value ?? 'postmaster')}
          />
        </div>
        <FormFoot error={ask.error}>
          <Button type="submit" variant="default" loading={ask.isPending} disabled={!domain}>
            Send the letter
          </Button>
        </FormFoot>
      </form>
    </Panel>
  );
}
