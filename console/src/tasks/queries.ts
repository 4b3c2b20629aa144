import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

export type TaskFilter = { open?: boolean; assignee_id?: string; contact_id?: string; limit?: number };

export function useTasks(filter: TaskFilter) {
  return useQuery({
    queryKey: keys.tasks(filter),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/tasks', { params: { query: filter }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

function reread(): void {
  void queryClient.invalidateQueries({ queryKey: ['tasks'] });
}

type NewTask = {
  title: string;
  kind?: 'to_do' | 'call' | 'callback';
  contact_id?: string;
  assignee_id?: string | null;
  due_at?: string;
};

export function useCreateTask() {
  return useMutation({
    mutationFn: (body: NewTask) => unwrap(api.POST('/api/v1/tasks', { body })),
    onSuccess: reread,
  });
}

/** Ticks a task off, or takes that back. */
export function useFinishTask() {
  return useMutation({
    mutationFn: ({ id, done }: { id: string; done: boolean }) =>
      unwrap(api.PATCH('/api/v1/tasks/{id}', { params: { path: { id } }, body: { done } })),
    onSuccess: reread,
  });
}

export function useDeleteTask() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/tasks/{id}', { params: { path: { id } } })),
    onSuccess: reread,
  });
}
