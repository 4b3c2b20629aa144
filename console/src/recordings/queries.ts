import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import { usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';

export type RecordingFilter = { q?: string; contact_id?: string; user_id?: string; limit?: number };

export function useRecordings(filter: RecordingFilter) {
  return useQuery({
    queryKey: keys.recordings(filter),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/recordings', { params: { query: filter }, signal })),
    ),
    refetchInterval: usePolling(15_000),
    placeholderData: keepPreviousData,
  });
}

/** A fresh address for the audio element; it holds for a few minutes only. */
export function useAudioLink() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/recordings/{id}/link', { params: { path: { id } } })),
  });
}

export function useTranscript(id: string, wanted: boolean) {
  return useQuery({
    queryKey: ['transcript', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/recordings/{id}', { params: { path: { id } }, signal })),
    enabled: wanted,
  });
}

export function useDeleteRecording() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/recordings/{id}', { params: { path: { id } } })),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ['recordings'] }),
  });
}

/** Records, pauses (while somebody reads out a card number) or stops recording a live call. */
export function useRecord() {
  return useMutation({
    mutationFn: ({ id, state }: { id: string; state: 'on' | 'paused' | 'off' }) =>
      unwrap(api.POST('/api/v1/calls/{id}/recording', { params: { path: { id } }, body: { state } })),
  });
}
