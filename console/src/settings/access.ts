import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];

export function usePermissions() {
  return useQuery({
    queryKey: keys.permissions(),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/permissions', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useOwnRoles() {
  return useQuery({
    queryKey: keys.roles(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/roles', { signal }))),
    refetchInterval: usePolling(),
  });
}

function reread(...roots: string[]) {
  return () => {
    for (const root of roots) void queryClient.invalidateQueries({ queryKey: [root] });
  };
}

export function useSaveRole() {
  return useMutation({
    mutationFn: ({ id, ...body }: { id?: string } & Required<Schemas['RoleIn']>) =>
      id
        ? unwrap(api.PATCH('/api/v1/roles/{id}', { params: { path: { id } }, body }))
        : unwrap(api.POST('/api/v1/roles', { body })),
    onSuccess: reread('roles', 'members'),
  });
}

export function useDeleteRole() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/roles/{id}', { params: { path: { id } } })),
    onSuccess: reread('roles'),
  });
}

export function useApiKeys(everybody: boolean) {
  return useQuery({
    queryKey: keys.apiKeys(everybody),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/api-keys', { params: { query: { everybody, limit: 200 } }, signal })),
    ),
    // When a key was last used is no event.
    refetchInterval: 30_000,
  });
}

export function useCreateApiKey() {
  return useMutation({
    mutationFn: (body: Required<Schemas['ApiKeyIn']>) => unwrap(api.POST('/api/v1/api-keys', { body })),
    onSuccess: reread('api_keys'),
  });
}

export function useEndApiKey() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/api-keys/{id}', { params: { path: { id } } })),
    onSuccess: reread('api_keys'),
  });
}
