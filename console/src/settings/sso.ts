import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import type { components } from '../api/schema';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];
export type Sso = Schemas['SsoSettings'];
export type KnownMember = Sso['connected'][number];
export type Provider = Schemas['Provider'];
export type ProviderIn = Schemas['ProviderIn'];
export type ProvenDomain = Schemas['ProvenDomain'];
export type Mailbox = Schemas['DomainIn']['mailbox'];

const KEY = ['sso'] as const;
const CONNECTED = ['account', 'connected'] as const;

const keep = (sso: Sso) => queryClient.setQueryData(KEY, sso);
const reread = () => void queryClient.invalidateQueries({ queryKey: KEY });

export function useSso() {
  return useQuery({
    queryKey: KEY,
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/sso', { signal }))),
  });
}

export function useSaveProvider() {
  return useMutation({
    mutationFn: (body: ProviderIn) => unwrap(api.PUT('/api/v1/sso/provider', { body })),
    onSuccess: keep,
  });
}

export function useRemoveProvider() {
  return useMutation({ mutationFn: () => unwrap(api.DELETE('/api/v1/sso/provider')), onSuccess: reread });
}

export function useEnforce() {
  return useMutation({
    mutationFn: (enforced: boolean) => unwrap(api.PUT('/api/v1/sso/enforcement', { body: { enforced } })),
    onSuccess: keep,
  });
}

export function useAskDomain() {
  return useMutation({
    mutationFn: (body: { domain: string; mailbox?: Mailbox }) =>
      unwrap(api.POST('/api/v1/sso/domains', { body })),
    onSuccess: keep,
  });
}

export function useProveDomain() {
  return useMutation({
    mutationFn: ({ value, code }: { value: string; code: string }) =>
      unwrap(api.POST('/api/v1/sso/domains/{value}/code', { params: { path: { value } }, body: { code } })),
    onSuccess: keep,
  });
}

export function useRemoveDomain() {
  return useMutation({
    mutationFn: (value: string) =>
      unwrap(api.DELETE('/api/v1/sso/domains/{value}', { params: { path: { value } } })),
    onSuccess: reread,
  });
}

export function useDisconnectMember() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/sso/members/{id}', { params: { path: { id } } })),
    onSuccess: reread,
  });
}

export function useConnected() {
  return useQuery({
    queryKey: CONNECTED,
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/account/connected', { signal }))),
  });
}

/** Goes to the provider’s page; the browser comes back to Settings, Sign-in and security. */
export function useConnect() {
  return useMutation({
    mutationFn: async (google: boolean) => {
      const { url } = await unwrap(api.POST('/api/v1/account/connected', { body: { google } }));
      window.location.assign(url);
    },
  });
}

export function useDisconnect() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.DELETE('/api/v1/account/connected/{id}', { params: { path: { id } } })),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: CONNECTED }),
  });
}
