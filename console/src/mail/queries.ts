import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { MailThread } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

export type View = 'inbox' | 'mine' | 'unassigned' | 'snoozed' | 'done' | 'sent' | 'all';
export type ThreadFilter = { view: View; q?: string; mailbox_id?: string; contact_id?: string };

const at = (id: string) => ({ params: { path: { id } } });

export const rereadMail = () => queryClient.invalidateQueries({ queryKey: ['mail'] });

export function useMailThreads(filter: ThreadFilter) {
  return useInfiniteQuery({
    queryKey: keys.mailThreads(filter),
    initialPageParam: null as string | null,
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        api.GET('/api/v1/mail/threads', {
          params: { query: { ...filter, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: usePolling(),
  });
}

export function useMailThread(id: string) {
  return useQuery({
    queryKey: keys.mailThread(id),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/mail/threads/{id}', { ...at(id), signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export type Change =
  | { what: 'read' | 'unread' | 'done' | 'reopen' }
  | { what: 'assign'; userId: string | null }
  | { what: 'snooze'; until: string };

function change(id: string, given: Change): Promise<MailThread> {
  switch (given.what) {
    case 'read':
      return unwrap(api.POST('/api/v1/mail/threads/{id}/read', at(id)));
    case 'unread':
      return unwrap(api.POST('/api/v1/mail/threads/{id}/unread', at(id)));
    case 'done':
      return unwrap(api.POST('/api/v1/mail/threads/{id}/done', at(id)));
    case 'reopen':
      return unwrap(api.POST('/api/v1/mail/threads/{id}/reopen', at(id)));
    case 'assign':
      return unwrap(
        api.PUT('/api/v1/mail/threads/{id}/assignee', { ...at(id), body: { user_id: given.userId } }),
      );
    case 'snooze':
      return unwrap(api.PUT('/api/v1/mail/threads/{id}/snooze', { ...at(id), body: { until: given.until } }));
  }
}

export function useChangeThread() {
  return useMutation({
    mutationFn: ({ id, ...given }: { id: string } & Change) => change(id, given),
    onSuccess: () => void rereadMail(),
  });
}

/** Mail on its way, or held up. */
export function useSends(state: 'scheduled' | 'failed' | 'unsure') {
  return useQuery({
    queryKey: keys.mailSends(state),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/mail/sends', { params: { query: { state, limit: 100 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useDecideSend() {
  return useMutation({
    mutationFn: ({ id, what }: { id: string; what: 'retry' | 'discard' }) =>
      what === 'retry'
        ? unwrap(api.POST('/api/v1/mail/sends/{id}/retry', at(id)))
        : unwrap(api.POST('/api/v1/mail/sends/{id}/discard', at(id))),
    onSuccess: () => void rereadMail(),
  });
}

/** A file of a message, as an address that this page alone can use; let go of it with URL.revokeObjectURL. */
export async function fileAddress(messageId: string, index: number): Promise<string> {
  const path = { id: messageId, index: String(index) };
  const answer = api.GET('/api/v1/mail/messages/{id}/attachments/{index}', {
    params: { path },
    parseAs: 'blob',
  });
  return URL.createObjectURL((await unwrap(answer as never)) as Blob);
}
