import { PasswordInput } from '@mantine/core';

type Props = {
  label?: string;
  value: string;
  onChange: (value: string) => void;
  /** The fewest characters that are taken. */
  least?: number;
  error?: string | null;
  autoFocus?: boolean;
  size?: 'sm' | 'md';
};

/** A field for a new password, which says what is asked of one and how much is still missing. */
export function NewPassword({
  label = 'New password',
  value,
  onChange,
  least = 15,
  error,
  autoFocus,
  size = 'md',
}: Props) {
  const missing = least - [...value.normalize('NFC')].length;
  const hint =
    value && missing > 0
      ? `${missing} more ${missing === 1 ? 'character' : 'characters'}`
      : `At least ${least} characters. A few unrelated words are good and easy to remember.`;
  return (
    <PasswordInput
      label={label}
      description={hint}
      name="new-password"
      autoComplete="new-password"
      required
      withAsterisk={false}
      autoFocus={autoFocus}
      size={size}
      value={value}
      error={error}
      maxLength={256}
      onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{ 'aria-label': 'Show the new password' }}
    />
  );
}
