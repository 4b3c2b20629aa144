import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/errors';
import { useMe } from '../app/hooks';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { useRename } from './company';
import classes from './Settings.module.css';

/** What one is called. */
export default function ProfilePanel() {
  const me = useMe();
  const rename = useRename();
  const [name, setName] = useState(me.user.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(name.trim(), { onSuccess: () => notifyDone('Your colleagues see your new name now') });
  };
  const problem = rename.error instanceof ApiError ? rename.error.fields.name : undefined;
  return (
    <Panel title="You">
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="Your name"
          description={
            me.tenants.length > 1
              ? 'As your colleagues see it, in all your companies'
              : 'As your colleagues see it'
          }
          autoComplete="name"
          required
          maxLength={120}
          value={name}
          error={problem}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput label="Email" description="What you sign in with" readOnly value={me.user.email} />
        <FormFoot error={problem ? null : rename.error}>
          <Button
            type="submit"
            loading={rename.isPending}
            disabled={!name.trim() || name.trim() === me.user.name}
          >
            Save
          </Button>
        </FormFoot>
      </form>
    </Panel>
  );
}
