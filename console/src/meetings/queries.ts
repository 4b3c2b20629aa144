import { useMutation } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import type { components } from '../api/schema';
import { api, queryClient } from '../app/services';

type Schemas = components['schemas'];

const at = (id: string) => ({ params: { path: { id } } });

const reread = () => {
  void queryClient.invalidateQueries({ queryKey: ['timeline'] });
};

export function useInvite() {
  return useMutation({
    mutationFn: ({ contactId, ...body }: { contactId: string } & Schemas['MeetingIn']) =>
      unwrap(api.POST('/api/v1/contacts/{id}/meetings', { ...at(contactId), body })),
    onSuccess: reread,
  });
}

export function useAnswerMeeting() {
  return useMutation({
    mutationFn: ({ id, answer }: { id: string; answer: Schemas['MeetingAnswerIn']['answer'] }) =>
      unwrap(api.POST('/api/v1/meetings/{id}/answer', { ...at(id), body: { answer } })),
    onSuccess: reread,
  });
}

export function useCancelMeeting() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/meetings/{id}', at(id))),
    onSuccess: reread,
  });
}
