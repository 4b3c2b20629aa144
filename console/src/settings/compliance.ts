import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import type { PermitSettings, QuietDay } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];

export function usePermitSettings() {
  return useQuery({
    queryKey: keys.permitSettings(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/permits/settings', { signal }))),
  });
}

export function useSavePermitSettings() {
  return useMutation({
    mutationFn: (body: PermitSettings) => unwrap(api.PUT('/api/v1/permits/settings', { body })),
    onSuccess: (saved) => queryClient.setQueryData(keys.permitSettings(), saved),
  });
}

export function useRules() {
  return useQuery({
    queryKey: keys.permitRules(),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/permits/rules', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function usePermits(filter: { allowed?: boolean; contact_id?: string; limit?: number }) {
  return useQuery({
    queryKey: keys.permits(filter),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/permits', { params: { query: filter }, signal })),
    ),
    refetchInterval: usePolling(15_000),
  });
}

export function useSuppressions(value: string) {
  return useQuery({
    queryKey: keys.suppressions(value),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(
        api.GET('/api/v1/suppressions', {
          params: { query: { limit: 100, ...(value ? { value } : {}) } },
          signal,
        }),
      ),
    ),
  });
}

function reread(root: string) {
  return () => void queryClient.invalidateQueries({ queryKey: [root] });
}

export function useSuppress() {
  return useMutation({
    mutationFn: (body: Schemas['SuppressionIn']) => unwrap(api.POST('/api/v1/suppressions', { body })),
    onSuccess: reread('suppressions'),
  });
}

export function useUnsuppress() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/suppressions/{id}', { params: { path: { id } } })),
    onSuccess: reread('suppressions'),
  });
}

export function useQuietDays() {
  return useQuery({
    queryKey: keys.quietDays(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/quiet-days', { signal }))),
  });
}

export function useSaveQuietDays() {
  return useMutation({
    mutationFn: (data: QuietDay[]) => unwrap(api.PUT('/api/v1/quiet-days', { body: { data } })),
    onSuccess: (saved) => queryClient.setQueryData(keys.quietDays(), saved),
  });
}
