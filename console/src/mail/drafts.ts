import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import type { MailDraft } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, queryClient } from '../app/services';
import { rereadMail } from './queries';

type Schemas = components['schemas'];

const at = (id: string) => ({ params: { path: { id } } });

const keep = (draft: MailDraft) => queryClient.setQueryData(keys.mailDraft(draft.id), draft);

export function useDrafts() {
  return useQuery({
    queryKey: keys.mailDrafts(),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/mail/drafts', { params: { query: { limit: 100 } }, signal })),
    refetchInterval: usePolling(),
  });
}

export function useDraft(id: string) {
  return useQuery({
    queryKey: keys.mailDraft(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/mail/drafts/{id}', { ...at(id), signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useBeginDraft() {
  return useMutation({
    mutationFn: (body: Schemas['MailDraftIn']) => unwrap(api.POST('/api/v1/mail/drafts', { body })),
    onSuccess: keep,
  });
}

export function useSaveDraft(id: string) {
  return useMutation({
    mutationFn: (body: Schemas['MailDraftPatch']) =>
      unwrap(api.PATCH('/api/v1/mail/drafts/{id}', { ...at(id), body })),
    onSuccess: keep,
    scope: { id: `draft ${id}` },
  });
}

export function useDropDraft() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/mail/drafts/{id}', at(id))),
    onSuccess: () => void rereadMail(),
  });
}

export function useAttach(id: string) {
  return useMutation({
    mutationFn: (file: File) => {
      const form = new FormData();
      form.append('file', file);
      const body = form as never;
      return unwrap(
        api.POST('/api/v1/mail/drafts/{id}/attachments', { ...at(id), body, bodySerializer: (b) => b }),
      );
    },
    onSuccess: keep,
    scope: { id: `draft ${id}` },
  });
}

export function useSendDraft() {
  return useMutation({
    mutationFn: ({ id, sendAt }: { id: string; sendAt?: string }) =>
      unwrap(api.POST('/api/v1/mail/drafts/{id}/send', { ...at(id), body: { send_at: sendAt ?? null } })),
    onSuccess: () => void rereadMail(),
  });
}

export function useUndoSend() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/mail/sends/{id}/undo', at(id))),
    onSuccess: (draft) => {
      keep(draft);
      void rereadMail();
    },
  });
}
