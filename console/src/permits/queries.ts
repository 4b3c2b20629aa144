import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

/** What the rules would say now; hours pass, so it is asked again every minute. */
export function usePermit(contactId: string, phone: string) {
  return useQuery({
    queryKey: keys.permit(contactId, phone),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(
        api.GET('/api/v1/contacts/{id}/permit', {
          params: { path: { id: contactId }, query: { channel: 'call', phone } },
          signal,
        }),
      ),
    ),
    refetchInterval: 60_000,
  });
}

/** Who is busy with whom. */
export function useLeases() {
  return useQuery({
    queryKey: keys.leases(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/leases', { signal }))),
    refetchInterval: usePolling(5000),
  });
}

/** What a contact has said about being called or written to. */
export function useConsents(contactId: string) {
  return useQuery({
    queryKey: keys.consents(contactId),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/contacts/{id}/consent', { params: { path: { id: contactId } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useSetConsent(contactId: string) {
  return useMutation({
    mutationFn: (body: components['schemas']['ConsentIn']) =>
      unwrap(api.PUT('/api/v1/contacts/{id}/consent', { params: { path: { id: contactId } }, body })),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: keys.consents(contactId) });
      void queryClient.invalidateQueries({ queryKey: ['permit', contactId] });
    },
  });
}
