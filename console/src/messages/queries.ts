import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

const at = (id: string) => ({ params: { path: { id } } });

export function useThreads(unread: boolean) {
  return useQuery({
    queryKey: keys.threads(unread),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/messages/threads', { params: { query: { limit: 100, unread } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useConversation(contactId: string) {
  return useQuery({
    queryKey: keys.conversation(contactId),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(
        api.GET('/api/v1/contacts/{id}/messages', {
          params: { path: { id: contactId }, query: { limit: 100 } },
          signal,
        }),
      ),
    ),
    refetchInterval: usePolling(),
  });
}

function reread(): void {
  void queryClient.invalidateQueries({ queryKey: ['threads'] });
  void queryClient.invalidateQueries({ queryKey: ['conversation'] });
}

export function useSend() {
  return useMutation({
    mutationFn: ({ contactId, body }: { contactId: string; body: string }) =>
      unwrap(api.POST('/api/v1/contacts/{id}/messages', { ...at(contactId), body: { body } })),
    onSuccess: reread,
  });
}

/** Takes back a message that still waits for its time. */
export function useTakeBack() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/messages/{id}', at(id))),
    onSuccess: reread,
  });
}

export function useReadThread() {
  return useMutation({
    mutationFn: (contactId: string) => unwrap(api.POST('/api/v1/messages/threads/{id}/read', at(contactId))),
    onSuccess: reread,
  });
}
