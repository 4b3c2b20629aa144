import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import type { PrivacyRequest } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';
import { save } from '../ui/save';

type Schemas = components['schemas'];

function reread() {
  void queryClient.invalidateQueries({ queryKey: ['privacy'] });
}

export function usePrivacyRequests() {
  return useQuery({
    queryKey: keys.privacyRequests(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/privacy/requests', { params: { query: { limit: 50 } }, signal })),
    ),
    refetchInterval: usePolling(5000),
  });
}

export function useAskExport() {
  return useMutation({
    mutationFn: (body: Schemas['ExportIn']) => unwrap(api.POST('/api/v1/privacy/exports', { body })),
    onSuccess: reread,
  });
}

export function useAskErasure() {
  return useMutation({
    mutationFn: (body: Schemas['ErasureIn']) => unwrap(api.POST('/api/v1/privacy/erasures', { body })),
    onSuccess: reread,
  });
}

export function useTakeBack() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/privacy/requests/{id}/cancel', { params: { path: { id } } })),
    onSuccess: reread,
  });
}

export async function downloadExport(request: PrivacyRequest): Promise<void> {
  const path = { id: request.id };
  const answer = api.GET('/api/v1/privacy/requests/{id}/file', { params: { path }, parseAs: 'blob' });
  save((await unwrap(answer as never)) as Blob, `${request.subject.name || 'export'}.zip`);
}

export function useRetention() {
  return useQuery({
    queryKey: keys.retention(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/privacy/retention', { signal }))),
  });
}

export function useSaveRetention() {
  return useMutation({
    mutationFn: (body: Schemas['RetentionIn']) => unwrap(api.PUT('/api/v1/privacy/retention', { body })),
    onSuccess: (saved) => queryClient.setQueryData(keys.retention(), saved),
  });
}
