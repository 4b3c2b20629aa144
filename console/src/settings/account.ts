import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { api, dispatcher, queryClient } from '../app/services';
import { makePasskey } from '../session/passkeys';

type Schemas = components['schemas'];
export type AccountSecurity = Schemas['AccountSecurity'];
export type Passkey = AccountSecurity['passkeys'][number];
export type AccountSession = Schemas['SessionPage']['data'][number];

const reread = () => void queryClient.invalidateQueries({ queryKey: ['account'] });

export function useSecurity() {
  return useQuery({
    queryKey: keys.accountSecurity(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/account/security', { signal }))),
  });
}

export function useSessions() {
  return useQuery({
    queryKey: keys.accountSessions(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/account/sessions', { signal }))),
  });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (body: Schemas['PasswordChange']) => unwrap(api.PUT('/api/v1/account/password', { body })),
    onSuccess: reread,
  });
}

export function useBeginTotp() {
  return useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/account/totp')) });
}

export function useStartTotp() {
  return useMutation({
    mutationFn: (code: string) => unwrap(api.POST('/api/v1/account/totp/start', { body: { code } })),
    onSuccess: reread,
  });
}

export function useStopTotp() {
  return useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/account/totp')),
    onSuccess: reread,
  });
}

export function useNewCodes() {
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/account/recovery-codes')),
    onSuccess: reread,
  });
}

/** Makes a passkey on this device and keeps it under a name. */
export function useAddPasskey() {
  return useMutation({
    mutationFn: async (name: string) => {
      const asked = await unwrap(api.POST('/api/v1/account/passkeys/options'));
      const credential = await makePasskey(asked.options);
      return unwrap(api.POST('/api/v1/account/passkeys', { body: { token: asked.token, credential, name } }));
    },
    onSuccess: reread,
  });
}

export function useRenamePasskey() {
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) =>
      unwrap(api.PATCH('/api/v1/account/passkeys/{id}', { params: { path: { id } }, body: { name } })),
    onSuccess: reread,
  });
}

export function useRemovePasskey() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.DELETE('/api/v1/account/passkeys/{id}', { params: { path: { id } } })),
    onSuccess: reread,
  });
}

export function useEndSession() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.DELETE('/api/v1/account/sessions/{id}', { params: { path: { id } } })),
    onSuccess: reread,
  });
}

export function useEndOthers() {
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/account/sessions/end-others')),
    onSuccess: reread,
  });
}
