import { Button, Select, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ApiError } from '../api/errors';
import { useMay } from '../app/hooks';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { type Company, useChangeCompany, useCompany } from './company';
import { LeaveCompany } from './LeaveCompany';
import classes from './Settings.module.css';
import { SettingsForm } from './SettingsForm';
import { TransferCompany } from './TransferCompany';

function zones(known: string): string[] {
  const all = Intl.supportedValuesOf('timeZone');
  return [...new Set(['UTC', known, ...all])];
}

function Form({ company, mayEdit }: { company: Company; mayEdit: boolean }) {
  const change = useChangeCompany();
  const [name, setName] = useState(company.name);
  const [zone, setZone] = useState(company.zone);
  const fields = change.error instanceof ApiError ? change.error.fields : {};
  const save = () =>
    change.mutate({ name: name.trim(), zone }, { onSuccess: () => notifyDone('The company is saved') });
  return (
    <SettingsForm
      mayEdit={mayEdit}
      error={fields.name || fields.zone ? null : change.error}
      saving={change.isPending}
      onSave={save}
    >
      <TextInput
        label="Name"
        description="It stands in invitations, too"
        required
        maxLength={200}
        value={name}
        error={fields.name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label="Time zone"
        description="Where the company’s day begins and ends"
        searchable
        allowDeselect={false}
        data={zones(company.zone)}
        value={zone}
        error={fields.zone}
        nothingFoundMessage="No time zone is called so"
        onChange={(next) => next && setZone(next)}
      />
    </SettingsForm>
  );
}

type DoorProps = { title: string; words: string; button: string; danger?: boolean; onOpen: () => void };

function Door({ title, words, button, danger, onOpen }: DoorProps) {
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={600}>{title}</Text>
        <Text size="xs" className="muted">
          {words}
        </Text>
      </div>
      <Button size="compact-sm" variant="default" color={danger ? 'red' : undefined} onClick={onOpen}>
        {button}
      </Button>
    </li>
  );
}

/** The company's name and time zone, who owns it, and the way out. */
export default function CompanyPanel() {
  const may = useMay();
  const query = useCompany();
  const [open, setOpen] = useState<'transfer' | 'leave' | null>(null);
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!query.data) return null;
  const company = query.data;
  const close = () => setOpen(null);
  return (
    <>
      <Panel title={company.name}>
        <Form key={`${company.name}/${company.zone}`} company={company} mayEdit={may('company:write')} />
      </Panel>
      <Panel title="Ownership and leaving">
        <ul className={classes.rows}>
          {may('company:transfer') && (
            <Door
              title="Make somebody else the owner"
              words="They may do everything from then on; you become an admin."
              button="Hand the company on…"
              onOpen={() => setOpen('transfer')}
            />
          )}
          <Door
            title={`Leave ${company.name}`}
            words="You are signed out of it at once. Only a new invitation brings you back."
            button="Leave…"
            danger
            onOpen={() => setOpen('leave')}
          />
        </ul>
      </Panel>
      {open === 'transfer' && <TransferCompany onClose={close} />}
      {open === 'leave' && <LeaveCompany company={company.name} onClose={close} />}
    </>
  );
}
