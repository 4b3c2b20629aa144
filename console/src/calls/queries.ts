import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { Call, DispositionValue } from '../api/types';
import { useMe, usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';
import { isLive } from '../live/reduce/shared';
import { announcing } from './announce';

const announced = announcing('call.state_changed');

/** The newest call of the signed-in person, live or over; null when there never was one. */
export function useLastCall() {
  const me = useMe();
  const key = keys.lastCall(me.user.id);
  const known = queryClient.getQueryData<Call | null>(key);
  const eager = usePolling(2000);
  const lazy = usePolling(10_000);
  return useQuery({
    queryKey: key,
    queryFn: dispatcher.current(async ({ signal }): Promise<Call | null> => {
      const query = { user_id: me.user.id, limit: 1 };
      const page = await unwrap(api.GET('/api/v1/calls', { params: { query }, signal }));
      return page.data[0] ?? null;
    }),
    refetchInterval: known && isLive(known) ? eager : lazy,
  });
}

export function usePlaceCall() {
  return useMutation({
    mutationFn: (body: { contact_id: string; phone: string; override?: { reason: string } }) =>
      unwrap(api.POST('/api/v1/calls', { body })),
    ...announced,
  });
}

export function useHangUp() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/calls/{id}/hangup', { params: { path: { id } } })),
    ...announced,
  });
}

/** How a call went; `callback_at` also sets a task to call back then. */
type Disposed = { id: string; disposition: DispositionValue; note: string; callback_at?: string };

export function useSetDisposition() {
  return useMutation({
    mutationFn: ({ id, disposition, note, callback_at }: Disposed) =>
      unwrap(
        api.PUT('/api/v1/calls/{id}/disposition', {
          params: { path: { id } },
          body: {
            disposition,
            ...(note.trim() ? { note: note.trim() } : {}),
            ...(callback_at ? { callback_at } : {}),
          },
        }),
      ),
    ...announcing('call.disposition_set'),
  });
}

export function useDispositions() {
  return useQuery({
    queryKey: keys.dispositions(),
    queryFn: async ({ signal }) => {
      const page = await unwrap(api.GET('/api/v1/dispositions', { signal }));
      return page.data;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
