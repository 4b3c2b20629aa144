import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];

const at = (id: string) => ({ params: { path: { id } } });

function reread(...roots: string[]) {
  return () => {
    for (const root of roots) void queryClient.invalidateQueries({ queryKey: [root] });
  };
}

export function useMailboxes() {
  return useQuery({
    queryKey: keys.mailboxes(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/mailboxes', { params: { query: { limit: 100 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

/** Sends the browser to Google, which sends it back to the mailboxes. */
export function useConnectGoogle() {
  return useMutation({
    mutationFn: (body: Schemas['GoogleIn']) => unwrap(api.POST('/api/v1/mailboxes/google', { body })),
    onSuccess: ({ url }) => window.location.assign(url),
  });
}

export function useReconnect() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/mailboxes/{id}/reconnect', at(id))),
    onSuccess: ({ url }) => window.location.assign(url),
  });
}

export function useConnectServer() {
  return useMutation({
    mutationFn: (body: Schemas['ServerMailboxIn']) => unwrap(api.POST('/api/v1/mailboxes', { body })),
    onSuccess: reread('mailboxes'),
  });
}

export function useChangeMailbox() {
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Schemas['MailboxPatch']) =>
      unwrap(api.PATCH('/api/v1/mailboxes/{id}', { ...at(id), body })),
    onSuccess: reread('mailboxes'),
  });
}

export function useDriveMailbox() {
  return useMutation({
    mutationFn: ({ id, what }: { id: string; what: 'sync' | 'pause' | 'resume' }) => {
      if (what === 'sync') return unwrap(api.POST('/api/v1/mailboxes/{id}/sync', at(id)));
      if (what === 'pause') return unwrap(api.POST('/api/v1/mailboxes/{id}/pause', at(id)));
      return unwrap(api.POST('/api/v1/mailboxes/{id}/resume', at(id)));
    },
    onSuccess: reread('mailboxes'),
  });
}

export function useDisconnect() {
  return useMutation({
    mutationFn: ({ id, erase }: { id: string; erase: boolean }) =>
      unwrap(api.DELETE('/api/v1/mailboxes/{id}', { params: { path: { id }, query: { erase } } })),
    onSuccess: reread('mailboxes', 'mail'),
  });
}

/** Of one mailbox, or of the whole company. */
export function usePrivacy(id: string | null) {
  return useQuery({
    queryKey: keys.mailPrivacy(id),
    queryFn: ({ signal }) =>
      id
        ? unwrap(api.GET('/api/v1/mailboxes/{id}/privacy', { ...at(id), signal }))
        : unwrap(api.GET('/api/v1/mailboxes/privacy', { signal })),
  });
}

export function useSavePrivacy(id: string | null) {
  return useMutation({
    mutationFn: (body: Schemas['PrivacyIn']) =>
      id
        ? unwrap(api.PUT('/api/v1/mailboxes/{id}/privacy', { ...at(id), body }))
        : unwrap(api.PUT('/api/v1/mailboxes/privacy', { body })),
    onSuccess: (saved) => queryClient.setQueryData(keys.mailPrivacy(id), saved),
  });
}

export function useMailLabels(id: string) {
  return useQuery({
    queryKey: keys.mailLabels(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/mailboxes/{id}/labels', { ...at(id), signal })),
  });
}

export function useTracking() {
  return useQuery({
    queryKey: keys.tracking(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/tracking/settings', { signal }))),
  });
}

export function useSaveTracking() {
  return useMutation({
    mutationFn: (body: Schemas['TrackingSettings']) => unwrap(api.PUT('/api/v1/tracking/settings', { body })),
    onSuccess: (saved) => {
      queryClient.setQueryData(keys.tracking(), saved);
      void queryClient.invalidateQueries({ queryKey: keys.trackingDomain() });
    },
  });
}

/** How the domain for links stands; asked for often while somebody waits for it to be looked at. */
export function useTrackingDomain(awaited: boolean) {
  const polling = usePolling();
  return useQuery({
    queryKey: keys.trackingDomain(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/tracking/domain', { signal }))),
    refetchInterval: awaited ? 2000 : polling,
  });
}

export function useCheckDomain() {
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/tracking/domain/check')),
    onSuccess: (standing) => queryClient.setQueryData(keys.trackingDomain(), standing),
  });
}

export function useTrackingRules() {
  return useQuery({
    queryKey: keys.trackingRules(),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/tracking/rules', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
