import { Button } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { FormFoot } from '../ui/FormFoot';
import classes from './Settings.module.css';

type Props = { mayEdit: boolean; error: unknown; saving: boolean; onSave: () => void; children: ReactNode };

/** Settings that stay on the page and are saved together; who may not change them only reads. */
export function SettingsForm({ mayEdit, error, saving, onSave, children }: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSave();
  };
  return (
    <form onSubmit={submit}>
      <fieldset className={classes.form} disabled={!mayEdit} style={{ border: 0, margin: 0 }}>
        {children}
        {mayEdit && (
          <FormFoot error={error}>
            <Button type="submit" loading={saving}>
              Save
            </Button>
          </FormFoot>
        )}
      </fieldset>
    </form>
  );
}
