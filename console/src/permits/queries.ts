import { useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import { usePolling } from '../app/hooks';
import { api, dispatcher } from '../app/services';

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
