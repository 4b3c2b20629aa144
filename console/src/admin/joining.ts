import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];
export type Invitation = Schemas['Invitation'];
export type InvitationIn = Schemas['InvitationIn'];
export type Handover = Schemas['Handover'];
export type HandoverIn = Schemas['HandoverIn'];
export type Belongings = Schemas['Belongings'];
export type Kind = HandoverIn['kinds'][number];

function reread(...roots: string[]): () => void {
  return () => {
    for (const root of roots) void queryClient.invalidateQueries({ queryKey: [root] });
  };
}

export function useInvitations() {
  return useQuery({
    queryKey: keys.invitations(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/invitations', { params: { query: { limit: 100 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useInvite() {
  return useMutation({
    mutationFn: (body: InvitationIn) => unwrap(api.POST('/api/v1/invitations', { body })),
    onSuccess: reread('invitations'),
  });
}

export function useSendAgain() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/invitations/{id}/send', { params: { path: { id } } })),
    onSuccess: reread('invitations'),
  });
}

export function useWithdraw() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/invitations/{id}/withdraw', { params: { path: { id } } })),
    onSuccess: reread('invitations'),
  });
}

export function useBelongings(memberId: string) {
  return useQuery({
    queryKey: keys.belongings(memberId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/members/{id}/belongings', { params: { path: { id: memberId } }, signal })),
    staleTime: 0,
  });
}

export function useDeactivate() {
  return useMutation({
    mutationFn: ({ id, handover }: { id: string; handover: HandoverIn | null }) =>
      unwrap(api.POST('/api/v1/members/{id}/deactivate', { params: { path: { id } }, body: { handover } })),
    onSuccess: (member) => {
      dispatcher.apply({ type: 'member.updated', data: { member } });
      reread('handovers', 'invitations')();
    },
  });
}

export function useHandOver() {
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string } & HandoverIn) =>
      unwrap(api.POST('/api/v1/members/{id}/handover', { params: { path: { id } }, body })),
    onSuccess: reread('handovers'),
  });
}

export function useHandovers(enabled: boolean) {
  return useQuery({
    queryKey: keys.handovers(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/handovers', { params: { query: { limit: 20 } }, signal })),
    ),
    refetchInterval: usePolling(2000),
    enabled,
  });
}
