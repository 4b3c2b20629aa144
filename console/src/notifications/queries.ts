import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

export function useNotifications() {
  return useQuery({
    queryKey: keys.notifications(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/notifications', { params: { query: { limit: 30 } }, signal })),
    ),
    refetchInterval: usePolling(30_000),
  });
}

function reread(): void {
  void queryClient.invalidateQueries({ queryKey: ['notifications'] });
}

export function useReadOne() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/notifications/{id}/read', { params: { path: { id } } })),
    onSuccess: reread,
  });
}

export function useReadAll() {
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/notifications/read')),
    onSuccess: reread,
  });
}
