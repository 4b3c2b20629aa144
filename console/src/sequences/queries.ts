import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import type { StepIn } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];
export type EnrolmentState = Schemas['Enrolment']['state'];

const at = (id: string) => ({ params: { path: { id } } });

function reread(...roots: string[]) {
  return () => {
    for (const root of roots) void queryClient.invalidateQueries({ queryKey: [root] });
  };
}

const rereadSequences = reread('sequences', 'sequence');
const rereadEnrolments = reread('enrolments', 'enrolment', 'sequence', 'sequences');

export function useSequences() {
  return useQuery({
    queryKey: keys.sequences(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/sequences', { params: { query: { limit: 100 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useSequence(id: string) {
  return useQuery({
    queryKey: keys.sequence(id),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/sequences/{id}', { ...at(id), signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useCreateSequence() {
  return useMutation({
    mutationFn: (body: Schemas['SequenceIn']) => unwrap(api.POST('/api/v1/sequences', { body })),
    onSuccess: rereadSequences,
  });
}

export function useChangeSequence(id: string) {
  return useMutation({
    mutationFn: (body: Schemas['SequencePatch']) =>
      unwrap(api.PATCH('/api/v1/sequences/{id}', { ...at(id), body })),
    onSuccess: rereadSequences,
  });
}

/** With the version one has edited: another's change in the meantime is not overwritten. */
export function useSetSteps(id: string) {
  return useMutation({
    mutationFn: ({ steps, version }: { steps: StepIn[]; version: number }) =>
      unwrap(
        api.PUT('/api/v1/sequences/{id}/steps', {
          ...at(id),
          body: { steps },
          headers: { 'If-Match': `"${version}"` },
        }),
      ),
    onSuccess: rereadSequences,
  });
}

export function useDriveSequence() {
  return useMutation({
    mutationFn: ({ id, what }: { id: string; what: 'start' | 'pause' | 'archive' }) => {
      if (what === 'start') return unwrap(api.POST('/api/v1/sequences/{id}/start', at(id)));
      if (what === 'pause') return unwrap(api.POST('/api/v1/sequences/{id}/pause', at(id)));
      return unwrap(api.POST('/api/v1/sequences/{id}/archive', at(id)));
    },
    onSuccess: rereadEnrolments,
  });
}

export function useSimulate(id: string) {
  return useMutation({
    mutationFn: (body: Schemas['SimulateIn']) =>
      unwrap(api.POST('/api/v1/sequences/{id}/simulate', { ...at(id), body })),
  });
}

export function useEnrol() {
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Schemas['EnrolIn']) =>
      unwrap(api.POST('/api/v1/sequences/{id}/enrolments', { ...at(id), body })),
    onSuccess: rereadEnrolments,
  });
}

export function useEnrolments(sequenceId: string, state: EnrolmentState | null) {
  return useInfiniteQuery({
    queryKey: keys.enrolments({ sequenceId, state }),
    initialPageParam: null as string | null,
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        api.GET('/api/v1/sequences/{id}/enrolments', {
          params: {
            path: { id: sequenceId },
            query: { limit: 100, ...(state ? { state } : {}), ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: usePolling(),
  });
}

export function useContactEnrolments(contactId: string) {
  return useQuery({
    queryKey: keys.enrolments({ contactId }),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/contacts/{id}/enrolments', {
          params: { path: { id: contactId }, query: { limit: 50 } },
          signal,
        }),
      ),
    refetchInterval: usePolling(),
  });
}

export function useEnrolment(id: string) {
  return useQuery({
    queryKey: keys.enrolment(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/enrolments/{id}', { ...at(id), signal })),
    refetchInterval: usePolling(),
  });
}

export type Deed = 'pause' | 'resume' | 'stop' | 'skip';

export function useChangeEnrolments() {
  return useMutation({
    mutationFn: (body: Schemas['BulkIn']) => unwrap(api.POST('/api/v1/enrolments/bulk', { body })),
    onSuccess: rereadEnrolments,
  });
}

/** Goes on at another step, or writes from another mailbox, for one contact. */
export function useRedirectEnrolment() {
  return useMutation({
    mutationFn: ({ id, ...to }: { id: string } & ({ position: number } | { mailbox_id: string })) =>
      'position' in to
        ? unwrap(api.POST('/api/v1/enrolments/{id}/move', { ...at(id), body: to }))
        : unwrap(api.POST('/api/v1/enrolments/{id}/mailbox', { ...at(id), body: to })),
    onSuccess: rereadEnrolments,
  });
}

export function useResults(id: string) {
  return useQuery({
    queryKey: keys.sequenceResults(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/sequences/{id}/results', { ...at(id), signal })),
    refetchInterval: usePolling(),
  });
}
