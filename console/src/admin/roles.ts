import type { Role } from '../api/types';

export const BUILT_IN: { value: Role; label: string }[] = [
  { value: 'owner', label: 'Owner' },
  { value: 'admin', label: 'Admin' },
  { value: 'manager', label: 'Manager' },
  { value: 'rep', label: 'Rep' },
];

/** A role in a word: the company's own name for it, or the built-in one. */
export function roleLabel({ role, role_name }: { role: Role; role_name?: string | null }): string {
  return role_name ?? BUILT_IN.find((each) => each.value === role)?.label ?? role;
}
