import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import type { DialSession } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];

const at = (id: string) => ({ params: { path: { id } } });

export function useQueues() {
  return useQuery({
    queryKey: keys.queues(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/queues', { params: { query: { limit: 100 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useProgress(id: string | undefined) {
  return useQuery({
    queryKey: keys.queue(id ?? ''),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/queues/{id}/progress', { ...at(id ?? ''), signal })),
    enabled: id !== undefined,
    refetchInterval: usePolling(),
  });
}

export function useItems(id: string, state: string) {
  return useQuery({
    queryKey: keys.queueItems(id, state),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/queues/{id}/items', {
          params: {
            path: { id },
            query: { limit: 100, ...(state === 'all' ? {} : { state: state as Schemas['Item']['state'] }) },
          },
          signal,
        }),
      ),
  });
}

function reread(): void {
  void queryClient.invalidateQueries({ queryKey: ['queues'] });
  void queryClient.invalidateQueries({ queryKey: ['queue'] });
}

export function useCreateQueue() {
  return useMutation({
    mutationFn: (body: Schemas['QueueIn']) => unwrap(api.POST('/api/v1/queues', { body })),
    onSuccess: reread,
  });
}

export function useChangeQueue() {
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Schemas['QueuePatch']) =>
      unwrap(api.PATCH('/api/v1/queues/{id}', { ...at(id), body })),
    onSuccess: reread,
  });
}

export function useDeleteQueue() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/queues/{id}', at(id))),
    onSuccess: reread,
  });
}

/** Lets a queue be worked on, or stops that. */
export function useRunQueue() {
  return useMutation({
    mutationFn: ({ id, on }: { id: string; on: boolean }) =>
      on
        ? unwrap(api.POST('/api/v1/queues/{id}/start', at(id)))
        : unwrap(api.POST('/api/v1/queues/{id}/pause', at(id))),
    onSuccess: reread,
  });
}

/** One's own session, wherever one is in the console; null when one is in none. */
export function useDialSession() {
  return useQuery<DialSession | null>({
    queryKey: keys.dialSession(),
    queryFn: dispatcher.current(
      async ({ signal }) => (await unwrap(api.GET('/api/v1/dial-sessions/current', { signal }))).session,
    ),
    // The countdown is the server's; asking now and then costs little and heals what no event told.
    refetchInterval: (query) => (query.state.data ? 3000 : 15_000),
  });
}

function keep(session: DialSession): void {
  queryClient.setQueryData(keys.dialSession(), session.ended_at ? null : session);
}

export function useJoinQueue() {
  return useMutation({
    mutationFn: ({ id, lines }: { id: string; lines?: number }) =>
      unwrap(api.POST('/api/v1/queues/{id}/sessions', { ...at(id), body: lines ? { lines } : {} })),
    onSuccess: keep,
  });
}

export type SessionDeed = 'dial' | 'pause' | 'resume' | 'leave';

const DEEDS = {
  dial: '/api/v1/dial-sessions/{id}/dial',
  pause: '/api/v1/dial-sessions/{id}/pause',
  resume: '/api/v1/dial-sessions/{id}/resume',
  leave: '/api/v1/dial-sessions/{id}/leave',
} as const;

export function useSessionDeed() {
  return useMutation({
    mutationFn: ({ id, deed }: { id: string; deed: SessionDeed }) => unwrap(api.POST(DEEDS[deed], at(id))),
    onSuccess: keep,
  });
}

export function useSkip() {
  return useMutation({
    mutationFn: ({ id, reason }: { id: string; reason: string }) =>
      unwrap(api.POST('/api/v1/dial-sessions/{id}/skip', { ...at(id), body: { reason } })),
    onSuccess: keep,
  });
}

export function useCallBackAt() {
  return useMutation({
    mutationFn: ({ id, when }: { id: string; when: string }) =>
      unwrap(api.POST('/api/v1/dial-sessions/{id}/callback', { ...at(id), body: { at: when } })),
    onSuccess: keep,
  });
}
