import { Button, Modal, MultiSelect, Text, TextInput } from '@mantine/core';
import { IconPlus, IconUsersGroup } from '@tabler/icons-react';
import { useState } from 'react';
import { useMembers } from '../admin/queries';
import type { Team } from '../api/types';
import { FormFoot } from '../ui/FormFoot';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { useDeleteTeam, useSaveTeam, useTeams } from './queries';
import classes from './Settings.module.css';

function Editor({ team, onClose }: { team: Team | null; onClose: () => void }) {
  const members = useMembers().data?.data ?? [];
  const save = useSaveTeam();
  const [name, setName] = useState(team?.name ?? '');
  const [chosen, setChosen] = useState(team?.members.map((each) => each.id) ?? []);
  const [leading, setLeading] = useState(
    team?.members.filter((each) => each.is_manager).map((each) => each.id) ?? [],
  );
  return (
    <Modal opened onClose={onClose} title={team ? `Change ${team.name}` : 'New team'}>
      <form
        style={{ display: 'grid', gap: 14 }}
        onSubmit={(event) => {
          event.preventDefault();
          const manager_ids = leading.filter((each) => chosen.includes(each));
          save.mutate(
            { id: team?.id, name: name.trim(), member_ids: chosen, manager_ids },
            { onSuccess: onClose },
          );
        }}
      >
        <TextInput
          label="Name"
          required
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <MultiSelect
          label="Members"
          description="In the order in which they are rung in turn"
          searchable
          data={members
            .filter((each) => each.status === 'active' || chosen.includes(each.id))
            .map((each) => ({ value: each.id, label: each.name }))}
          value={chosen}
          onChange={setChosen}
        />
        <MultiSelect
          label="Managed by"
          description="They see what is the team’s also where everybody else sees only their own"
          searchable
          placeholder={chosen.length === 0 ? 'Choose members first' : undefined}
          disabled={chosen.length === 0}
          data={members
            .filter((each) => chosen.includes(each.id))
            .map((each) => ({ value: each.id, label: each.name }))}
          value={leading.filter((each) => chosen.includes(each))}
          onChange={setLeading}
        />
        <FormFoot error={save.error} onCancel={onClose}>
          <Button type="submit" loading={save.isPending} disabled={!name.trim()}>
            Save
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}

/** Teams and who is in them. */
export default function TeamsPanel() {
  const query = useTeams();
  const remove = useDeleteTeam();
  const [editing, setEditing] = useState<Team | 'new' | null>(null);
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  const teams = query.data?.data ?? [];
  return (
    <Panel
      title="Teams"
      aside={
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => setEditing('new')}
        >
          New team
        </Button>
      }
    >
      {teams.length === 0 && (
        <Empty icon={<IconUsersGroup size={20} />} title="No teams yet">
          A number can ring a whole team, in turn or all at once.
        </Empty>
      )}
      <ul className={classes.rows} aria-label="Teams">
        {teams.map((team) => (
          <li key={team.id} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={600}>{team.name}</Text>
              <Text size="xs" className="muted">
                {team.members
                  .map((each) => (each.is_manager ? `${each.name} (manages)` : each.name))
                  .join(', ') || 'Nobody yet'}
              </Text>
            </div>
            <Button size="compact-sm" variant="subtle" onClick={() => setEditing(team)}>
              Change
            </Button>
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              onClick={() => attempt(remove.mutateAsync(team.id), `${team.name} could not be deleted`)}
            >
              Delete
            </Button>
          </li>
        ))}
      </ul>
      {editing && (
        <Editor
          key={editing === 'new' ? 'new' : editing.id}
          team={editing === 'new' ? null : editing}
          onClose={() => setEditing(null)}
        />
      )}
    </Panel>
  );
}
