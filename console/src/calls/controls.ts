import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import { api, dispatcher } from '../app/services';
import { announcing } from './announce';

const at = (id: string) => ({ params: { path: { id } } });

const announced = announcing('call.updated');

export function useHold() {
  return useMutation({
    mutationFn: ({ id, on }: { id: string; on: boolean }) =>
      unwrap(api.POST('/api/v1/calls/{id}/hold', { ...at(id), body: { on } })),
    ...announced,
  });
}

export function useMute() {
  return useMutation({
    mutationFn: ({ id, on }: { id: string; on: boolean }) =>
      unwrap(api.POST('/api/v1/calls/{id}/mute', { ...at(id), body: { on } })),
    ...announced,
  });
}

export function usePressKeys() {
  return useMutation({
    mutationFn: ({ id, digits }: { id: string; digits: string }) =>
      unwrap(api.POST('/api/v1/calls/{id}/digits', { ...at(id), body: { digits } })),
  });
}

export type Whom = { user_id: string } | { phone: string };

export function useAddParticipant() {
  return useMutation({
    mutationFn: ({ id, whom }: { id: string; whom: Whom }) =>
      unwrap(api.POST('/api/v1/calls/{id}/participants', { ...at(id), body: whom })),
    ...announced,
  });
}

export function useRemoveParticipant() {
  return useMutation({
    mutationFn: ({ id, leg_id }: { id: string; leg_id: string }) =>
      unwrap(api.DELETE('/api/v1/calls/{id}/participants/{leg_id}', { params: { path: { id, leg_id } } })),
    ...announced,
  });
}

export function useTransfer() {
  return useMutation({
    mutationFn: ({ id, whom, kind }: { id: string; whom: Whom; kind: 'warm' | 'cold' }) =>
      unwrap(api.POST('/api/v1/calls/{id}/transfer', { ...at(id), body: { ...whom, kind } })),
    ...announced,
  });
}

/** Leaves a call to the colleague who was brought in. */
export function useCompleteTransfer() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/calls/{id}/transfer/complete', at(id))),
    ...announced,
  });
}

export type Mode = 'listen' | 'whisper' | 'barge';

/** Into a rep's call, or to another way of being in it. */
export function useSupervise() {
  return useMutation({
    mutationFn: ({ id, mode }: { id: string; mode: Mode }) =>
      unwrap(api.POST('/api/v1/calls/{id}/supervise', { ...at(id), body: { mode } })),
    ...announced,
  });
}

export function useStopSupervising() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/calls/{id}/supervise', at(id))),
    ...announced,
  });
}

/** Managers in the call whom its rep is not shown. */
export function useListeners(id: string, wanted: boolean) {
  return useQuery({
    queryKey: keys.listeners(id),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/calls/{id}/listeners', { ...at(id), signal })),
    enabled: wanted,
  });
}

export function useSaveNote() {
  return useMutation({
    mutationFn: ({ id, note }: { id: string; note: string }) =>
      unwrap(api.PATCH('/api/v1/calls/{id}', { ...at(id), body: { note } })),
    ...announced,
  });
}

export function useVoicemailDrops(wanted: boolean) {
  return useQuery({
    queryKey: keys.voicemailDrops(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/voicemail-drops', { signal }))),
    enabled: wanted,
  });
}

/** Plays a recorded message to the machine, while its owner goes on to the next call. */
export function useDrop() {
  return useMutation({
    mutationFn: ({ id, drop_id }: { id: string; drop_id: string }) =>
      unwrap(api.POST('/api/v1/calls/{id}/drop', { ...at(id), body: { drop_id } })),
    ...announced,
  });
}
