import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { unwrap } from '../api/client';
import { api } from '../app/services';

/** Whether companies may sign up here by themselves. */
export function useSignUpIsOpen() {
  return useQuery({
    queryKey: ['signup'],
    queryFn: () => unwrap(api.GET('/api/v1/signup')),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** On the sign-in page: the way to a company of one's own, where that is possible. */
export function SignUpLink() {
  const query = useSignUpIsOpen();
  if (!query.data?.open) return null;
  return (
    <Text ta="center" size="sm" className="muted">
      New here?{' '}
      <Anchor component={Link} to="/signup" size="sm">
        Sign your company up
      </Anchor>
    </Text>
  );
}
