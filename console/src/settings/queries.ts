import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];

function reread(...roots: string[]) {
  return () => {
    for (const root of roots) void queryClient.invalidateQueries({ queryKey: [root] });
  };
}

export function useAllDispositions() {
  return useQuery({
    queryKey: keys.dispositions(true),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/dispositions', { params: { query: { archived: true } }, signal })),
    ),
  });
}

export function useCreateDisposition() {
  return useMutation({
    mutationFn: (body: Schemas['hub__dispositions__models__DispositionIn']) =>
      unwrap(api.POST('/api/v1/dispositions', { body })),
    onSuccess: reread('dispositions'),
  });
}

export function useChangeDisposition() {
  return useMutation({
    mutationFn: ({ value, ...body }: { value: string } & Schemas['DispositionPatch']) =>
      unwrap(api.PATCH('/api/v1/dispositions/{value}', { params: { path: { value } }, body })),
    onSuccess: reread('dispositions'),
  });
}

export function useTeams() {
  return useQuery({
    queryKey: keys.teams(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/teams', { params: { query: { limit: 200 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useVisibility() {
  return useQuery({
    queryKey: keys.visibility(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/visibility', { signal }))),
    refetchInterval: usePolling(),
  });
}

export function useSaveVisibility() {
  return useMutation({
    mutationFn: (body: Schemas['VisibilityIn']) => unwrap(api.PUT('/api/v1/visibility', { body })),
    onSuccess: reread('visibility'),
  });
}

export function useSaveTeam() {
  return useMutation({
    mutationFn: ({
      id,
      ...body
    }: {
      id?: string;
      name: string;
      member_ids: string[];
      manager_ids: string[];
    }) =>
      id
        ? unwrap(api.PATCH('/api/v1/teams/{id}', { params: { path: { id } }, body }))
        : unwrap(api.POST('/api/v1/teams', { body })),
    onSuccess: reread('teams', 'numbers'),
  });
}

export function useDeleteTeam() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/teams/{id}', { params: { path: { id } } })),
    onSuccess: reread('teams', 'numbers'),
  });
}

export function useNumbers() {
  return useQuery({
    queryKey: keys.numbers(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/numbers', { params: { query: { limit: 200 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export type NumberSearch = { country: string; area_code?: string; contains?: string };

/** Numbers on sale; asked for only when somebody searches, since each search is a question to the provider. */
export function useAvailable() {
  return useMutation({
    mutationFn: (query: NumberSearch) =>
      unwrap(api.GET('/api/v1/numbers/available', { params: { query: { ...query, limit: 12 } } })),
  });
}

export function useBuyNumber() {
  return useMutation({
    mutationFn: (body: { e164: string; locality: string }) => unwrap(api.POST('/api/v1/numbers', { body })),
    onSuccess: reread('numbers'),
  });
}

export function useChangeNumber() {
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Schemas['NumberPatch']) =>
      unwrap(api.PATCH('/api/v1/numbers/{id}', { params: { path: { id } }, body })),
    onSuccess: reread('numbers'),
  });
}

export function useReleaseNumber() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/numbers/{id}', { params: { path: { id } } })),
    onSuccess: reread('numbers'),
  });
}
