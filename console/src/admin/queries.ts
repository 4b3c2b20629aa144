import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { Job, Role } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

export function useJobs(state: Job['state']) {
  return useQuery({
    queryKey: keys.jobs(state),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/admin/jobs', { params: { query: { state } }, signal })),
    ),
    refetchInterval: 5000,
  });
}

function rereadJobs(): void {
  void queryClient.invalidateQueries({ queryKey: ['jobs'] });
}

export function useRetryJob() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/admin/jobs/{id}/retry', { params: { path: { id } } })),
    onSuccess: rereadJobs,
  });
}

export function useDropJob() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/admin/jobs/{id}/drop', { params: { path: { id } } })),
    onSuccess: rereadJobs,
  });
}

export function useMembers() {
  return useQuery({
    queryKey: keys.members(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/members', { params: { query: { limit: 200 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useUpdateMember() {
  return useMutation({
    mutationFn: ({
      id,
      ...body
    }: {
      id: string;
      role?: Role;
      role_id?: string;
      status?: 'active' | 'deactivated';
    }) => unwrap(api.PATCH('/api/v1/members/{id}', { params: { path: { id } }, body })),
    onSuccess: (member) => dispatcher.apply({ type: 'member.updated', data: { member } }),
  });
}
