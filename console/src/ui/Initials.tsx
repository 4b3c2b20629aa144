import { Avatar } from '@mantine/core';

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => word?.[0] ?? '')
    .join('')
    .toUpperCase();
}

/** A person's initials. Decorative: the name always stands beside it. */
export function Initials({ name, size = 32 }: { name: string; size?: number }) {
  return (
    <Avatar
      size={size}
      radius={999}
      color="petrol"
      variant="light"
      aria-hidden
      styles={{ placeholder: { fontWeight: 600, fontSize: size * 0.37 } }}
    >
      {initialsOf(name)}
    </Avatar>
  );
}
