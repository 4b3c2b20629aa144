import { Button, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/errors';
import { useMe } from '../app/hooks';
import { NewPassword } from '../session/NewPassword';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { moment } from '../ui/time';
import { type AccountSecurity, useChangePassword } from './account';
import classes from './Settings.module.css';

function ChangePassword({ security, onClose }: { security: AccountSecurity; onClose: () => void }) {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const change = useChangePassword();
  const { user } = useMe();
  const fields = change.error instanceof ApiError ? change.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { current: security.has_password ? current : null, password },
      {
        onSuccess: () => {
          notifyDone('Your password is changed, and your other sessions are ended');
          onClose();
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} title={security.has_password ? 'Change your password' : 'Set a password'}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
          {security.has_password && (
            <PasswordInput
              label="Present password"
              name="password"
              autoComplete="current-password"
              required
              withAsterisk={false}
              data-autofocus
              value={current}
              error={fields.current}
              onChange={(event) => setCurrent(event.currentTarget.value)}
              visibilityToggleButtonProps={{ 'aria-label': 'Show the present password' }}
            />
          )}
          <NewPassword
            size="sm"
            value={password}
            onChange={setPassword}
            least={security.least_password_length}
            error={fields.password ?? null}
          />
          <Text size="sm" className="muted">
            Everywhere else you are signed out.
          </Text>
          <FormFoot error={Object.keys(fields).length ? null : change.error} onCancel={onClose}>
            <Button type="submit" loading={change.isPending}>
              {security.has_password ? 'Change it' : 'Set it'}
            </Button>
          </FormFoot>
        </Stack>
      </form>
    </Modal>
  );
}

/** The password: how old it is, and a new one. */
export function PasswordPart({ security }: { security: AccountSecurity }) {
  const [open, setOpen] = useState(false);
  return (
    <Panel title="Password">
      <div className={classes.row}>
        <div className={classes.grow}>
          <Text>
            {security.password_changed_at
              ? `Last changed ${moment(security.password_changed_at)}`
              : 'You sign in without one'}
          </Text>
          <Text size="xs" className="muted">
            It never runs out. Change it when somebody else may know it.
          </Text>
        </div>
        <Button variant="default" onClick={() => setOpen(true)}>
          {security.has_password ? 'Change password' : 'Set a password'}
        </Button>
      </div>
      {open && <ChangePassword security={security} onClose={() => setOpen(false)} />}
    </Panel>
  );
}
