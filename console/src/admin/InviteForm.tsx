import { Button, Modal, MultiSelect, Select, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/errors';
import type { Role } from '../api/types';
import { isAtLeast, useMay, useMe } from '../app/hooks';
import { useOwnRoles, usePermissions } from '../settings/access';
import { useTeams } from '../settings/queries';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { useInvite } from './joining';

const BUILT_IN: { value: Role; label: string }[] = [
  { value: 'rep', label: 'Rep' },
  { value: 'manager', label: 'Manager' },
  { value: 'admin', label: 'Admin' },
  { value: 'owner', label: 'Owner' },
];

/** Asks for an address, a role and teams, and sends the letter. */
export function InviteForm({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const invite = useInvite();
  const teams = useTeams().data?.data ?? [];
  const may = useMay();
  const builtIn = usePermissions().data?.roles ?? [];
  const own = useOwnRoles().data?.data ?? [];
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('rep');
  const [teamIds, setTeamIds] = useState<string[]>([]);
  // Nobody invites to more than they may do themselves.
  const reaches = (base: Role, permissions: string[]) => isAtLeast(me.role, base) && permissions.every(may);
  const groups = [
    {
      group: 'Built-in',
      items: BUILT_IN.filter((each) =>
        reaches(each.value, builtIn.find((known) => known.role === each.value)?.permissions ?? []),
      ),
    },
    {
      group: 'Your own',
      items: own
        .filter((each) => reaches(each.base, each.permissions))
        .map((each) => ({ value: each.id, label: each.name })),
    },
  ];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const known = BUILT_IN.find((each) => each.value === role)?.value;
    invite.mutate(
      {
        email: email.trim(),
        name: name.trim(),
        team_ids: teamIds,
        ...(known ? { role: known } : { role_id: role }),
      },
      {
        onSuccess: (made) => {
          notifyDone(`A letter is on its way to ${made.email}`);
          onClose();
        },
      },
    );
  };
  const fields = invite.error instanceof ApiError ? invite.error.fields : {};
  return (
    <Modal opened onClose={onClose} title="Invite somebody">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Email"
            description="The letter’s link works once, within seven days."
            type="email"
            required
            data-autofocus
            value={email}
            error={fields.email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <TextInput
            label="Name"
            description="If you know it; they can correct it."
            maxLength={120}
            value={name}
            error={fields.name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label="Role"
            allowDeselect={false}
            data={groups.filter((each) => each.items.length > 0)}
            value={role}
            error={fields.role ?? fields.role_id}
            onChange={(next) => next && setRole(next)}
          />
          {teams.length > 0 && (
            <MultiSelect
              label="Teams"
              placeholder={teamIds.length === 0 ? 'None' : undefined}
              data={teams.map((each) => ({ value: each.id, label: each.name }))}
              value={teamIds}
              error={fields.team_ids}
              onChange={setTeamIds}
            />
          )}
          <FormFoot error={fields.email ? null : invite.error} onCancel={onClose}>
            <Button type="submit" loading={invite.isPending} disabled={!email.trim()}>
              Send the invitation
            </Button>
          </FormFoot>
        </Stack>
      </form>
    </Modal>
  );
}
