import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import type { components } from '../api/schema';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];
export type Rule = Schemas['SecondFactorRule'];

const KEY = ['second_factor'] as const;

export function useRule() {
  return useQuery({
    queryKey: KEY,
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/second-factor', { signal }))),
  });
}

export function useSaveRule() {
  return useMutation({
    mutationFn: (body: Schemas['SecondFactorRuleIn']) => unwrap(api.PUT('/api/v1/second-factor', { body })),
    onSuccess: (rule) => queryClient.setQueryData(KEY, rule),
  });
}
