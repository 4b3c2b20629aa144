import { Button, Group, Modal, Select, Text, TextInput } from '@mantine/core';
import { IconPlus, IconShieldHalf } from '@tabler/icons-react';
import { useState } from 'react';
import type { components } from '../api/schema';
import type { OwnRole, Role } from '../api/types';
import { isAtLeast, useMay, useMe } from '../app/hooks';
import { NeedsPlan } from '../billing/NeedsPlan';
import { FormFoot } from '../ui/FormFoot';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import classes from './Access.module.css';
import { useDeleteRole, useOwnRoles, usePermissions, useSaveRole } from './access';
import { PermissionPicker } from './PermissionPicker';
import rows from './Settings.module.css';

type Base = OwnRole['base'];
type Known = components['schemas']['PermissionList'];

const BASES: { value: Base; label: string; reach: string }[] = [
  { value: 'rep', label: 'Rep', reach: 'Hears what everybody hears, and changes their own things.' },
  {
    value: 'manager',
    label: 'Manager',
    reach: 'Hears what managers hear as well, and has a say over what others made.',
  },
  {
    value: 'admin',
    label: 'Admin',
    reach: 'As a manager, and has a say over mailboxes whose owner is gone.',
  },
];

const BUILT_IN: Record<Role, { label: string; words: string }> = {
  owner: { label: 'Owner', words: 'Everything, and to hand the company over' },
  admin: { label: 'Admin', words: 'Everything but to hand the company over' },
  manager: { label: 'Manager', words: 'What a rep does, listening in, alerts, teams and invitations' },
  rep: { label: 'Rep', words: 'Calls, mail, sequences, contacts and tasks' },
};

type EditorProps = { role: OwnRole | null; known: Known; onClose: () => void };

function Editor({ role, known, onClose }: EditorProps) {
  const me = useMe();
  const may = useMay();
  const save = useSaveRole();
  const [name, setName] = useState(role?.name ?? '');
  const [base, setBase] = useState<Base>(role?.base ?? 'rep');
  const [chosen, setChosen] = useState(role?.permissions ?? []);
  const people = role?.members ?? 0;
  return (
    <Modal opened onClose={onClose} size="xl" title={role ? `Change ${role.name}` : 'New role'}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(
            { id: role?.id, name: name.trim(), base, permissions: chosen },
            {
              onSuccess: (saved) => {
                onClose();
                if (people > 0) notifyDone(`${saved.name} is so for everybody who has it`);
              },
            },
          );
        }}
      >
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <TextInput
            label="Name"
            required
            maxLength={60}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label="Say over other people's things"
            description={BASES.find((each) => each.value === base)?.reach}
            inputWrapperOrder={['label', 'input', 'description']}
            allowDeselect={false}
            data={BASES.filter((each) => isAtLeast(me.role, each.value))}
            value={base}
            onChange={(next) => next && setBase(next as Base)}
          />
        </Group>
        <div className={classes.presets}>
          <Text size="sm" className="muted">
            Begin with what these may do:
          </Text>
          {known.roles
            .filter((each) => each.role !== 'owner' && isAtLeast(me.role, each.role))
            .map((each) => (
              <Button
                key={each.role}
                size="compact-sm"
                variant="default"
                onClick={() => setChosen(each.permissions.filter(may))}
              >
                {BUILT_IN[each.role].label}
              </Button>
            ))}
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setChosen([])}>
            Nothing
          </Button>
        </div>
        <PermissionPicker all={known.data} chosen={chosen} onChange={setChosen} />
        <div className={classes.foot}>
          {people > 0 && (
            <Text size="sm" className="muted">
              {people === 1 ? 'One person has' : `${people} people have`} this role; it changes for them
              within a second.
            </Text>
          )}
          <FormFoot error={save.error} onCancel={onClose}>
            <Button type="submit" loading={save.isPending} disabled={!name.trim()}>
              Save
            </Button>
          </FormFoot>
        </div>
      </form>
    </Modal>
  );
}

function Row({ role, onChange }: { role: OwnRole; onChange: () => void }) {
  const may = useMay();
  const remove = useDeleteRole();
  const mine = role.permissions.every(may);
  const people = role.members === 1 ? 'One person' : `${role.members || 'No'} people`;
  return (
    <li className={rows.row}>
      <div className={rows.grow}>
        <Text fw={600}>{role.name}</Text>
        <Text size="xs" className="muted">
          {people} · {role.permissions.length} permissions · the say of{' '}
          {role.base === 'admin' ? 'an admin' : `a ${role.base}`}
          {!mine && ' · may do what you may not'}
        </Text>
      </div>
      {mine && (
        <Button size="compact-sm" variant="subtle" onClick={onChange}>
          Change
        </Button>
      )}
      {mine && role.members === 0 && (
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          onClick={() => attempt(remove.mutateAsync(role.id), `${role.name} could not be deleted`)}
        >
          Delete
        </Button>
      )}
    </li>
  );
}

/** What people may do: the roles that every company has, and those of one's own. */
export default function RolesPanel() {
  const known = usePermissions();
  const query = useOwnRoles();
  const [editing, setEditing] = useState<OwnRole | 'new' | null>(null);
  if (query.isPending || known.isPending) return <Loading />;
  if (!query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!known.data) return <Failure error={known.error} onRetry={() => known.refetch()} />;
  const roles = query.data.data;
  return (
    <>
      <NeedsPlan feature="custom_roles" />
      <Panel
        title="Roles of your own"
        aside={
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => setEditing('new')}
          >
            New role
          </Button>
        }
      >
        {roles.length === 0 && (
          <Empty icon={<IconShieldHalf size={20} />} title="No roles of your own yet">
            Make one where the built-in roles allow too much or too little, and give it to people under
            Members.
          </Empty>
        )}
        <ul className={rows.rows} aria-label="Roles of your own">
          {roles.map((role) => (
            <Row key={role.id} role={role} onChange={() => setEditing(role)} />
          ))}
        </ul>
      </Panel>
      <Panel title="Built-in roles">
        <ul className={rows.rows} aria-label="Built-in roles">
          {known.data.roles.map(({ role, permissions }) => (
            <li key={role} className={rows.row}>
              <div className={rows.grow}>
                <Text fw={600}>{BUILT_IN[role].label}</Text>
                <Text size="xs" className="muted">
                  {BUILT_IN[role].words}
                </Text>
              </div>
              <Text size="sm" className="muted">
                {permissions.length} permissions
              </Text>
            </li>
          ))}
        </ul>
      </Panel>
      {editing && (
        <Editor
          key={editing === 'new' ? 'new' : editing.id}
          role={editing === 'new' ? null : editing}
          known={known.data}
          onClose={() => setEditing(null)}
        />
      )}
    </>
  );
}
