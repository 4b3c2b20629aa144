import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { LineChoice, VoiceSettings } from '../api/types';
import { api, dispatcher, queryClient } from '../app/services';

export function useVoiceSettings() {
  return useQuery({
    queryKey: keys.voiceSettings(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/voice/settings', { signal }))),
  });
}

export function useSaveVoiceSettings() {
  return useMutation({
    mutationFn: (body: VoiceSettings) => unwrap(api.PUT('/api/v1/voice/settings', { body })),
    onSuccess: (saved) => queryClient.setQueryData(keys.voiceSettings(), saved),
  });
}

export function useLineChoice() {
  return useQuery({
    queryKey: keys.lineChoice(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/voice/line', { signal }))),
  });
}

export function useChooseLine() {
  return useMutation({
    mutationFn: (body: { kind: NonNullable<LineChoice['kind']>; phone?: string }) =>
      unwrap(api.PUT('/api/v1/voice/line', { body })),
    onSuccess: (saved) => queryClient.setQueryData(keys.lineChoice(), saved),
  });
}
