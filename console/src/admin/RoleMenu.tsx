import { Select, Text } from '@mantine/core';
import type { Member, Role } from '../api/types';
import { isAtLeast, useMay, useMe } from '../app/hooks';
import { useOwnRoles, usePermissions } from '../settings/access';
import { notifyFailure } from '../ui/notify';
import { useUpdateMember } from './queries';
import { BUILT_IN, roleLabel } from './roles';

/** A member's role as who may change it sees it; nobody gives or takes what they do not have themselves. */
export function RoleMenu({ member, editable }: { member: Member; editable: boolean }) {
  const me = useMe();
  const may = useMay();
  const update = useUpdateMember();
  const builtIn = usePermissions().data?.roles ?? [];
  const own = useOwnRoles().data?.data ?? [];
  const reaches = (role: Role, permissions: string[]) => isAtLeast(me.role, role) && permissions.every(may);
  const has =
    own.find((each) => each.id === member.role_id)?.permissions ??
    builtIn.find((each) => each.role === member.role)?.permissions ??
    [];
  if (!editable || !reaches(member.role, has)) return <Text size="sm">{roleLabel(member)}</Text>;
  const groups = [
    {
      group: 'Built-in',
      items: BUILT_IN.map((each) => ({
        ...each,
        disabled: !reaches(each.value, builtIn.find((known) => known.role === each.value)?.permissions ?? []),
      })),
    },
    {
      group: 'Your own',
      items: own.map((each) => ({
        value: each.id,
        label: each.name,
        disabled: !reaches(each.base, each.permissions),
      })),
    },
  ];
  const known = member.role_id ?? member.role;
  return (
    <Select
      size="xs"
      w={150}
      aria-label={`Role of ${member.name}`}
      allowDeselect={false}
      data={groups.filter((each) => each.items.length > 0)}
      value={known}
      disabled={update.isPending}
      onChange={(next) => {
        if (!next || next === known) return;
        const change = own.some((each) => each.id === next) ? { role_id: next } : { role: next as Role };
        update.mutate(
          { id: member.id, ...change },
          { onError: (error) => notifyFailure(`The role of ${member.name} could not be changed`, error) },
        );
      }}
    />
  );
}
