import { Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { components } from '../api/schema';
import { useMay } from '../app/hooks';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { useSaveVisibility, useVisibility } from './queries';
import classes from './Settings.module.css';
import { SettingsForm } from './SettingsForm';

type Choice = components['schemas']['Visibility']['visibility'];

const CHOICES: { value: Choice; label: string; means: string }[] = [
  {
    value: 'everyone',
    label: 'Everyone sees everything',
    means: 'Each member sees all contacts, calls and mail of the company, whoever’s they are.',
  },
  {
    value: 'team',
    label: 'Teams see what is theirs',
    means:
      'Each member sees what is their own and what is their teammates’. Who is in no team sees only their own.',
  },
  {
    value: 'own',
    label: 'Everyone sees their own',
    means: 'Each member sees what is their own. Who manages a team sees what is its members’ as well.',
  },
];

function Form({ known, mayEdit }: { known: Choice; mayEdit: boolean }) {
  const [choice, setChoice] = useState(known);
  const save = useSaveVisibility();
  const submit = () =>
    save.mutate({ visibility: choice }, { onSuccess: () => notifyDone('Everybody sees so from now on') });
  return (
    <SettingsForm mayEdit={mayEdit} error={save.error} saving={save.isPending} onSave={submit}>
      <Radio.Group
        label="Whose contacts, calls and mail does a member see?"
        value={choice}
        onChange={(value) => setChoice(value as Choice)}
      >
        <Stack gap="sm" mt="sm">
          {CHOICES.map((each) => (
            <Radio
              key={each.value}
              value={each.value}
              label={each.label}
              description={each.means}
              disabled={!mayEdit}
            />
          ))}
        </Stack>
      </Radio.Group>
      {choice !== known && choice !== 'everyone' && (
        <Text size="sm" className={classes.notice} role="status">
          What is somebody else’s goes from members’ screens, searches and live updates at once. Nothing is
          deleted, and you can take it back at any time.
        </Text>
      )}
    </SettingsForm>
  );
}

/** Whether members see everybody's contacts, or only their teams', or only their own. */
export default function VisibilityPanel() {
  const query = useVisibility();
  const mayEdit = useMay()('company:write');
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return (
    <Panel title="Visibility">
      {query.data && <Form key={query.data.visibility} known={query.data.visibility} mayEdit={mayEdit} />}
      <Stack gap={4} className={classes.form}>
        <Text size="sm" className="muted">
          What hangs on a contact goes with it: timeline, calls and recordings, texts, tasks, meetings and
          mail. A contact that is nobody’s is everybody’s.
        </Text>
        <Text size="sm" className="muted">
          Besides, everybody sees what they did themselves or were part of. Owners and admins see everything.
          Private mailboxes stay private. Teams, and who manages them, are set under Teams.
        </Text>
      </Stack>
    </Panel>
  );
}
