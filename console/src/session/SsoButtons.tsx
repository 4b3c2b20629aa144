import { Button, Stack, Text } from '@mantine/core';
import { IconBrandGoogle, IconBuilding } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { unwrap } from '../api/client';
import { ApiError } from '../api/errors';
import { api } from '../app/services';
import { goToProvider } from './sso';

type Props = { email: string; onProblem: (error: unknown) => void };

/** On the sign-in page: the company’s own sign-in, found by the address, and Google where it is set up. */
export function SsoButtons({ email, onProblem }: Props) {
  const [busy, setBusy] = useState<'google' | 'company' | null>(null);
  const [hint, setHint] = useState<string | null>(null);
  const ways = useQuery({
    queryKey: ['sso_ways'],
    queryFn: () => unwrap(api.GET('/api/v1/sso/ways')),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const go = async (how: 'google' | 'company') => {
    if (how === 'company' && !email.includes('@')) {
      setHint('Enter your address of the company above first.');
      return;
    }
    setHint(null);
    setBusy(how);
    try {
      await goToProvider(how === 'google' ? { google: true } : { email });
    } catch (error) {
      setBusy(null);
      if (error instanceof ApiError && error.code === 'no_sso') {
        setHint('No company has a sign-in of its own for this address. Use your password.');
      } else onProblem(error);
    }
  };
  return (
    <Stack gap="md">
      <Button
        variant="default"
        size="md"
        fullWidth
        leftSection={<IconBuilding size={16} />}
        loading={busy === 'company'}
        onClick={() => void go('company')}
      >
        Use your company’s sign-in
      </Button>
      {hint && (
        <Text size="sm" role="alert">
          {hint}
        </Text>
      )}
      {ways.data?.google && (
        <Button
          variant="default"
          size="md"
          fullWidth
          leftSection={<IconBrandGoogle size={16} />}
          loading={busy === 'google'}
          onClick={() => void go('google')}
        >
          Continue with Google
        </Button>
      )}
    </Stack>
  );
}
