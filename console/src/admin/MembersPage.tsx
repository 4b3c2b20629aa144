import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Member, Role } from '../api/types';
import { isAtLeast, useMe } from '../app/hooks';
import { ToneBadge } from '../calls/StateBadge';
import { Age } from '../ui/Age';
import { Initials } from '../ui/Initials';
import { notifyFailure } from '../ui/notify';
import { Page, PageBody, Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import classes from './Admin.module.css';
import { useMembers, useUpdateMember } from './queries';

const ROLES: { value: Role; label: string }[] = [
  { value: 'owner', label: 'Owner' },
  { value: 'admin', label: 'Admin' },
  { value: 'manager', label: 'Manager' },
  { value: 'rep', label: 'Rep' },
];

function StatusButton({ member }: { member: Member }) {
  const [asking, setAsking] = useState(false);
  const update = useUpdateMember();
  const active = member.status === 'active';
  const change = () =>
    update.mutate(
      { id: member.id, status: active ? 'deactivated' : 'active' },
      {
        onSuccess: () => setAsking(false),
        onError: (error) => notifyFailure(`${member.name} could not be changed`, error),
      },
    );
  return (
    <>
      <Button
        size="compact-sm"
        variant="subtle"
        color={active ? 'gray' : 'petrol'}
        loading={update.isPending}
        onClick={() => (active ? setAsking(true) : change())}
      >
        {active ? 'Deactivate' : 'Activate'}
      </Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title={`Deactivate ${member.name}?`}>
        <Stack>
          <Text>
            They are signed out everywhere at once and cannot come back until they are activated again.
          </Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="subtle" color="gray" onClick={() => setAsking(false)}>
              Cancel
            </Button>
            <Button color="red" loading={update.isPending} onClick={change}>
              Deactivate
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function RoleSelect({ member }: { member: Member }) {
  const update = useUpdateMember();
  return (
    <Select
      size="xs"
      w={120}
      aria-label={`Role of ${member.name}`}
      allowDeselect={false}
      data={ROLES}
      value={member.role}
      disabled={update.isPending}
      onChange={(role) =>
        role &&
        role !== member.role &&
        update.mutate(
          { id: member.id, role: role as Role },
          { onError: (error) => notifyFailure(`The role of ${member.name} could not be changed`, error) },
        )
      }
    />
  );
}

function Row({ member, editable }: { member: Member; editable: boolean }) {
  return (
    <tr>
      <td>
        <Group gap="sm" wrap="nowrap">
          <Initials name={member.name} />
          <div>
            <Text fw={600}>{member.name}</Text>
            <Text size="xs" className="muted">
              {member.email}
            </Text>
          </div>
        </Group>
      </td>
      <td>
        {editable ? <RoleSelect member={member} /> : ROLES.find((role) => role.value === member.role)?.label}
      </td>
      <td>
        <ToneBadge tone={member.status === 'active' ? 'good' : 'plain'}>
          {member.status === 'active' ? 'Active' : 'Deactivated'}
        </ToneBadge>
      </td>
      <td className={classes.right}>{editable && <StatusButton member={member} />}</td>
    </tr>
  );
}

/** Who belongs to the company, as what. */
export default function MembersPage() {
  const me = useMe();
  const query = useMembers();
  const mayEdit = isAtLeast(me.role, 'admin');
  return (
    <Page title="Members" beside={<Age updatedAt={query.dataUpdatedAt} />}>
      <PageBody>
        {query.isPending && <Loading />}
        {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
        {query.data && (
          <Panel title={me.tenant.name}>
            <div className={classes.wide}>
              <table className={classes.table}>
                <thead>
                  <tr>
                    <th>Person</th>
                    <th>Role</th>
                    <th>Status</th>
                    <th>
                      <span className="visually-hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {query.data.data.map((member) => (
                    <Row key={member.id} member={member} editable={mayEdit && member.id !== me.user.id} />
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        )}
      </PageBody>
    </Page>
  );
}
