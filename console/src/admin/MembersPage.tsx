import { Button, Group, Stack, Text } from '@mantine/core';
import { IconMailPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { Member } from '../api/types';
import { useMay, useMe } from '../app/hooks';
import { ToneBadge } from '../calls/StateBadge';
import { Age } from '../ui/Age';
import { Initials } from '../ui/Initials';
import { notifyFailure } from '../ui/notify';
import { Page, PageBody, Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import classes from './Admin.module.css';
import { Departure } from './Departure';
import { Handovers } from './Handovers';
import { Invitations } from './Invitations';
import { InviteForm } from './InviteForm';
import { useMembers, useUpdateMember } from './queries';
import { RoleMenu } from './RoleMenu';

type ActsProps = { member: Member; others: Member[] };

/** What can be done about somebody else: out, in again, or their work to a colleague. */
function Acts({ member, others }: ActsProps) {
  const [asking, setAsking] = useState<'deactivate' | 'hand over' | null>(null);
  const update = useUpdateMember();
  const active = member.status === 'active';
  const activate = () =>
    update.mutate(
      { id: member.id, status: 'active' },
      { onError: (error) => notifyFailure(`${member.name} could not be activated`, error) },
    );
  return (
    <Group gap={4} justify="flex-end" wrap="nowrap">
      <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setAsking('hand over')}>
        Hand over
      </Button>
      <Button
        size="compact-sm"
        variant="subtle"
        color={active ? 'gray' : 'petrol'}
        loading={update.isPending}
        onClick={() => (active ? setAsking('deactivate') : activate())}
      >
        {active ? 'Deactivate' : 'Activate'}
      </Button>
      {asking && <Departure what={asking} member={member} others={others} onClose={() => setAsking(null)} />}
    </Group>
  );
}

function Row({ member, others, editable }: { member: Member; others: Member[]; editable: boolean }) {
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
        <RoleMenu member={member} editable={editable} />
      </td>
      <td>
        <ToneBadge tone={member.status === 'active' ? 'good' : 'plain'}>
          {member.status === 'active' ? 'Active' : 'Deactivated'}
        </ToneBadge>
      </td>
      <td className={classes.right}>{editable && <Acts member={member} others={others} />}</td>
    </tr>
  );
}

/** Who belongs to the company, as what. */
export default function MembersPage() {
  const me = useMe();
  const may = useMay();
  const query = useMembers();
  const [inviting, setInviting] = useState(false);
  const mayEdit = may('members:write');
  const mayInvite = may('members:invite');
  return (
    <Page
      title="Members"
      beside={<Age updatedAt={query.dataUpdatedAt} />}
      actions={
        mayInvite && (
          <Button leftSection={<IconMailPlus size={16} />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        )
      }
    >
      <PageBody>
        <Stack gap="md">
          {query.isPending && <Loading />}
          {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
          {query.data && (
            <Panel title={me.tenant.name}>
              <div className={classes.wide}>
                <table className={`${classes.table} ${classes.people}`}>
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
                      <Row
                        key={member.id}
                        member={member}
                        others={query.data.data}
                        editable={mayEdit && member.id !== me.user.id}
                      />
                    ))}
                  </tbody>
                </table>
              </div>
            </Panel>
          )}
          {mayEdit && <Handovers />}
          {mayInvite && <Invitations onInvite={() => setInviting(true)} />}
        </Stack>
      </PageBody>
      {inviting && <InviteForm onClose={() => setInviting(false)} />}
    </Page>
  );
}
