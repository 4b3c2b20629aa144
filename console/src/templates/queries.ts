import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];

const at = (id: string) => ({ params: { path: { id } } });
const reread = () => void queryClient.invalidateQueries({ queryKey: ['templates'] });

export function useTemplates() {
  return useQuery({
    queryKey: keys.templates(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/templates', { params: { query: { limit: 200 } }, signal })),
    ),
    refetchInterval: usePolling(),
  });
}

export function useVariables() {
  return useQuery({
    queryKey: keys.templateVariables(),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/templates/variables', { signal })),
    staleTime: 60_000,
  });
}

export type SavedTemplate = Schemas['TemplateIn'] & { id?: string };

export function useSaveTemplate() {
  return useMutation({
    mutationFn: ({ id, ...body }: SavedTemplate) => {
      if (!id) return unwrap(api.POST('/api/v1/templates', { body }));
      const { kind: _kind, ...patch } = body;
      return unwrap(api.PATCH('/api/v1/templates/{id}', { ...at(id), body: patch }));
    },
    onSuccess: reread,
  });
}

export function useArchiveTemplate() {
  return useMutation({
    mutationFn: ({ id, archived }: { id: string; archived: boolean }) =>
      unwrap(api.PATCH('/api/v1/templates/{id}', { ...at(id), body: { archived } })),
    onSuccess: reread,
  });
}

export function useResults(id: string) {
  return useQuery({
    queryKey: keys.templateResults(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/templates/{id}/results', { ...at(id), signal })),
  });
}

/** A text as a contact would get it, and what would stop it. */
export function usePreview(body: Schemas['PreviewIn']) {
  return useQuery({
    queryKey: keys.templatePreview(body),
    queryFn: ({ signal }) => unwrap(api.POST('/api/v1/templates/preview', { body, signal })),
    placeholderData: (before) => before,
  });
}

export function preview(body: Schemas['PreviewIn']) {
  return unwrap(api.POST('/api/v1/templates/preview', { body }));
}

/** That a draft was written from a template, for the template's results. */
export function noteUse(id: string, draftId: string) {
  return api.POST('/api/v1/templates/{id}/uses', { ...at(id), body: { draft_id: draftId } });
}
