import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient, session } from '../app/services';

type Schemas = components['schemas'];
export type Company = Schemas['Company'];

export function useCompany() {
  return useQuery({
    queryKey: keys.company(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/company', { signal }))),
    refetchInterval: usePolling(30_000),
  });
}

export function useChangeCompany() {
  return useMutation({
    mutationFn: (body: Schemas['CompanyPatch']) => unwrap(api.PATCH('/api/v1/company', { body })),
    onSuccess: (company) => {
      queryClient.setQueryData(keys.company(), company);
      // The name also stands in the session, from where the rest of the console takes it.
      void session.refresh();
    },
  });
}

export function useTransfer() {
  return useMutation({
    mutationFn: (toId: string) => unwrap(api.POST('/api/v1/company/transfer', { body: { to_id: toId } })),
    onSuccess: () => void session.refresh(),
  });
}

export function useLeave() {
  return useMutation({
    mutationFn: (handover: Schemas['HandoverIn'] | null) =>
      unwrap(api.POST('/api/v1/company/leave', { body: { handover } })),
  });
}

export function useRename() {
  return useMutation({
    mutationFn: (name: string) => unwrap(api.PATCH('/api/v1/me', { body: { name } })),
    onSuccess: () => void session.refresh(),
  });
}
