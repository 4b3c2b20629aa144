import { useMutation } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import type { Person } from '../api/types';
import { useMe } from '../app/hooks';
import { api, dispatcher } from '../app/services';
import { useFloor } from '../floor/queries';

/** How the signed-in person stands on the floor. */
export function useMyPerson(): Person | undefined {
  const me = useMe();
  return useFloor().data?.people.find((person) => person.user.id === me.user.id);
}

/** Lengthens one's wrap-up by so many seconds. */
export function useExtendWrapUp() {
  return useMutation({
    mutationFn: (seconds: number) => unwrap(api.POST('/api/v1/presence/extend', { body: { seconds } })),
    onSuccess: (person) => dispatcher.apply({ type: 'presence.changed', data: { person } }),
  });
}

/** Goes online (which also ends a wrap-up) or away. */
export function useSetPresence() {
  return useMutation({
    mutationFn: (state: 'online' | 'away') => unwrap(api.PUT('/api/v1/presence', { body: { state } })),
    onSuccess: (person) => dispatcher.apply({ type: 'presence.changed', data: { person } }),
  });
}
