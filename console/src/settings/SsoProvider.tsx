import {
  Button,
  CopyButton,
  Group,
  Modal,
  PasswordInput,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { useTeams } from './queries';
import classes from './Settings.module.css';
import { type Provider, type ProviderIn, type Sso, useRemoveProvider, useSaveProvider } from './sso';

function Copied({ what, value }: { what: string; value: string }) {
  return (
    <div>
      <Text size="sm" fw={500}>
        {what}
      </Text>
      <Group gap="xs" wrap="nowrap" align="start">
        <code className={`${classes.code} ${classes.grow}`} style={{ paddingTop: 4 }}>
          {value}
        </code>
        <CopyButton value={value}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" aria-label={`Copy: ${what}`} onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
    </div>
  );
}

function Remove({ label, onClose }: { label: string; onClose: () => void }) {
  const remove = useRemoveProvider();
  return (
    <Modal opened onClose={onClose} title={`Remove ${label}?`}>
      <Stack gap="md">
        <Text>
          Nobody signs in through it any more, and whoever came in through it is signed out. People without a
          password choose one with “Forgot your password?”.
        </Text>
        <FormFoot error={remove.error} onCancel={onClose}>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() => remove.mutate(undefined, { onSuccess: onClose })}
          >
            Remove
          </Button>
        </FormFoot>
      </Stack>
    </Modal>
  );
}

const draftOf = (known: Provider | null): ProviderIn => ({
  label: known?.label ?? '',
  issuer: known?.issuer ?? '',
  client_id: known?.client_id ?? '',
  joins: known?.joins ?? false,
  role: known?.role ?? 'rep',
  team_id: known?.team_id ?? null,
  trusts_addresses: known?.trusts_addresses ?? false,
});

/** Where the company’s people sign in, and what becomes of those who are new. */
export function SsoProvider({ sso }: { sso: Sso }) {
  const known = sso.provider;
  const [draft, setDraft] = useState(draftOf(known));
  const [secret, setSecret] = useState('');
  const [removing, setRemoving] = useState(false);
  const save = useSaveProvider();
  const teams = useTeams();
  const set = (change: Partial<ProviderIn>) => setDraft({ ...draft, ...change });
  const isAnother = draft.issuer !== known?.issuer || draft.client_id !== known?.client_id;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = secret ? { ...draft, client_secret: secret } : draft;
    save.mutate(body, {
      onSuccess: () => {
        setSecret('');
        notifyDone('The sign-in is saved. Now connect your own account with it to try it.');
      },
    });
  };
  return (
    <form className={classes.form} onSubmit={submit} aria-label="Provider">
      <Text size="sm" className="muted">
        Register Ringside at your provider (Entra ID, Okta, Google Workspace, Keycloak or any other that
        speaks OpenID Connect) as a web application, and enter here what it gives you.
      </Text>
      <Copied what="Redirect URI to register there" value={sso.redirect_uri} />
      <Copied what="Sign-in link, for bookmarks and your provider’s tile" value={sso.start_url} />
      <TextInput
        label="Name"
        description="What people see, such as Acme’s sign-in."
        required
        withAsterisk={false}
        maxLength={80}
        value={draft.label}
        onChange={(event) => set({ label: event.currentTarget.value })}
      />
      <TextInput
        label="Issuer"
        description="The provider’s address, exactly as it calls itself."
        placeholder="https://login.example.com"
        required
        withAsterisk={false}
        value={draft.issuer}
        onChange={(event) => set({ issuer: event.currentTarget.value.trim() })}
      />
      <div className={classes.pair}>
        <TextInput
          label="Client ID"
          required
          withAsterisk={false}
          autoComplete="off"
          value={draft.client_id}
          onChange={(event) => set({ client_id: event.currentTarget.value.trim() })}
        />
        <PasswordInput
          label="Client secret"
          placeholder={isAnother ? '' : 'Kept; enter a new one to change it'}
          required={isAnother}
          withAsterisk={false}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': 'Show the secret' }}
          value={secret}
          onChange={(event) => setSecret(event.currentTarget.value)}
        />
      </div>
      <Switch
        label="Whoever signs in with an address of a proven domain becomes a member"
        description="Otherwise only people who were invited come in."
        checked={draft.joins}
        onChange={(event) => set({ joins: event.currentTarget.checked })}
      />
      {draft.joins && (
        <div className={classes.pair}>
          <Select
            label="New people are"
            allowDeselect={false}
            data={[
              { value: 'rep', label: 'Reps' },
              { value: 'manager', label: 'Managers' },
            ]}
            value={draft.role}
            onChange={(role) => set({ role: role === 'manager' ? 'manager' : 'rep' })}
          />
          <Select
            label="In the team"
            placeholder="None"
            clearable
            data={(teams.data?.data ?? []).map((team) => ({ value: team.id, label: team.name }))}
            value={draft.team_id}
            onChange={(team_id) => set({ team_id })}
          />
        </div>
      )}
      <Switch
        label="The provider does not say whether addresses are verified"
        description="Entra ID does not. Its word is taken then, for your proven domains only."
        checked={draft.trusts_addresses}
        onChange={(event) => set({ trusts_addresses: event.currentTarget.checked })}
      />
      <FormFoot error={save.error}>
        {known && !sso.enforced && (
          <Button variant="subtle" color="red" onClick={() => setRemoving(true)}>
            Remove
          </Button>
        )}
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
      </FormFoot>
      {removing && known && <Remove label={known.label} onClose={() => setRemoving(false)} />}
    </form>
  );
}
