import { Button, Modal, Stack, Switch, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { ApiError } from '../api/errors';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import classes from './Settings.module.css';
import { SettingsForm } from './SettingsForm';
import { type Rule, useRule, useSaveRule } from './secondFactor';

const people = (count: number) => (count === 1 ? 'One person' : `${count} people`);

/** Who would have to set one up, or still has to. */
function Lacking({ rule }: { rule: Rule }) {
  const more = rule.lacking_count - rule.lacking.length;
  if (rule.lacking_count === 0)
    return (
      <Text size="sm" px="md" py="sm">
        Everybody has one.
      </Text>
    );
  return (
    <>
      <ul className={classes.rows} aria-label="People without a second factor">
        {rule.lacking.map((each) => (
          <li key={each.id} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={550}>{each.name}</Text>
              <Text size="xs" className="muted">
                {each.email}
              </Text>
            </div>
          </li>
        ))}
      </ul>
      {more > 0 && (
        <Text size="sm" px="md" py="xs" className="muted">
          And {more} more.
        </Text>
      )}
    </>
  );
}

type Wanted = { required: boolean; trusts_provider: boolean };

function Confirm({ rule, wanted, onClose }: { rule: Rule; wanted: Wanted; onClose: () => void }) {
  const save = useSaveRule();
  const own = save.error instanceof ApiError && save.error.code === 'own_second_factor_first';
  const done = () => {
    notifyDone('Everybody needs a second factor from now on');
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title="Ask everybody for a second factor?">
      <Stack gap="md">
        <Text>
          Whoever is signed in without one is signed out at once, whatever they are doing. When they sign in
          again they set up an authenticator app or a passkey, and can do nothing else before.
        </Text>
        {rule.lacking_count > 0 && (
          <Text>
            {people(rule.lacking_count)} {rule.lacking_count === 1 ? 'has' : 'have'} none yet.
          </Text>
        )}
        {own && (
          <Text size="sm">
            <Link to="/settings/security">Open Sign-in and security</Link>
          </Text>
        )}
        <FormFoot error={save.error} onCancel={onClose}>
          <Button loading={save.isPending} onClick={() => save.mutate(wanted, { onSuccess: done })}>
            Ask everybody
          </Button>
        </FormFoot>
      </Stack>
    </Modal>
  );
}

function Form({ rule }: { rule: Rule }) {
  const [required, setRequired] = useState(rule.required);
  const [trusts, setTrusts] = useState(rule.trusts_provider);
  const [asking, setAsking] = useState(false);
  const save = useSaveRule();
  const wanted = { required, trusts_provider: trusts };
  const asksMore = required && (!rule.required || (rule.trusts_provider && !trusts));
  const submit = () =>
    asksMore ? setAsking(true) : save.mutate(wanted, { onSuccess: () => notifyDone('Saved') });
  return (
    <>
      <SettingsForm mayEdit error={save.error} saving={save.isPending} onSave={submit}>
        <Switch
          label="Everybody needs a second factor"
          description="An authenticator app or a passkey beside the password. API keys are not asked."
          checked={required}
          onChange={(event) => setRequired(event.currentTarget.checked)}
        />
        <Switch
          label="The company’s own sign-in counts as one"
          description="Turn it on when your provider asks for a second factor itself."
          checked={trusts}
          disabled={!required}
          onChange={(event) => setTrusts(event.currentTarget.checked)}
        />
      </SettingsForm>
      {asking && <Confirm rule={rule} wanted={wanted} onClose={() => setAsking(false)} />}
    </>
  );
}

/** Whether everybody has to have a second factor, and who has none. */
export default function SecondFactorPanel() {
  const query = useRule();
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!query.data) return null;
  const rule = query.data;
  return (
    <>
      <Panel title="Second factor">
        <Form key={`${rule.required}/${rule.trusts_provider}`} rule={rule} />
      </Panel>
      <Panel title={rule.required ? 'Who still has to set one up' : 'Who has none'}>
        <Lacking rule={rule} />
      </Panel>
    </>
  );
}
