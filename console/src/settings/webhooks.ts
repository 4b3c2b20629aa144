import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { api, dispatcher, queryClient } from '../app/services';

type Schemas = components['schemas'];
export type Webhook = Schemas['WebhookEndpoint'];
export type NewWebhook = Schemas['NewWebhookEndpoint'];
export type Delivery = Schemas['WebhookDelivery'];

// What is sent to a webhook is no event: there would be one for each event.
const LOOKS_EVERY_MS = 10_000;

export function useWebhooks() {
  return useQuery({
    queryKey: keys.webhooks(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/webhooks', { signal }))),
    refetchInterval: LOOKS_EVERY_MS,
  });
}

export function useWebhookTypes() {
  return useQuery({
    queryKey: keys.webhookTypes(),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/webhooks/types', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useDeliveries(id: string, state: Delivery['state'] | 'all') {
  return useInfiniteQuery({
    queryKey: keys.webhookDeliveries(id, state),
    initialPageParam: null as string | null,
    queryFn: dispatcher.currentPage<Schemas['WebhookDeliveryPage']>(({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/v1/webhooks/{id}/deliveries', {
          params: {
            path: { id },
            query: { limit: 50, cursor: pageParam, state: state === 'all' ? null : state },
          },
          signal,
        }),
      ),
    ),
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: LOOKS_EVERY_MS / 2,
  });
}

export function useDelivery(id: string) {
  return useQuery({
    queryKey: keys.webhookDelivery(id),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/webhook-deliveries/{id}', { params: { path: { id } }, signal })),
  });
}

function reread() {
  for (const root of ['webhooks', 'webhook_deliveries', 'webhook_delivery'])
    void queryClient.invalidateQueries({ queryKey: [root] });
}

type Kept = { url: string; description: string; types: string[] | null };

export function useCreateWebhook() {
  return useMutation({
    mutationFn: (body: Kept) => unwrap(api.POST('/api/v1/webhooks', { body })),
    onSuccess: reread,
  });
}

export function useChangeWebhook(id: string) {
  return useMutation({
    mutationFn: (body: Kept) =>
      unwrap(api.PATCH('/api/v1/webhooks/{id}', { params: { path: { id } }, body })),
    onSuccess: reread,
  });
}

/** All that is done to a webhook with one click. */
export function useWebhookActions(id: string) {
  const params = { path: { id } };
  return {
    pause: useMutation({
      mutationFn: () => unwrap(api.POST('/api/v1/webhooks/{id}/pause', { params })),
      onSuccess: reread,
    }),
    resume: useMutation({
      mutationFn: (skip: boolean) =>
        unwrap(api.POST('/api/v1/webhooks/{id}/resume', { params, body: { skip } })),
      onSuccess: reread,
    }),
    test: useMutation({
      mutationFn: () => unwrap(api.POST('/api/v1/webhooks/{id}/test', { params })),
      onSuccess: reread,
    }),
    remove: useMutation({
      mutationFn: () => unwrap(api.DELETE('/api/v1/webhooks/{id}', { params })),
      onSuccess: reread,
    }),
    secret: useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/webhooks/{id}/secret', { params })) }),
    rotate: useMutation({
      mutationFn: () => unwrap(api.POST('/api/v1/webhooks/{id}/secret/rotate', { params })),
      onSuccess: reread,
    }),
    replay: useMutation({
      mutationFn: (body: Schemas['ReplayIn']) =>
        unwrap(api.POST('/api/v1/webhooks/{id}/replay', { params, body })),
      onSuccess: reread,
    }),
  };
}

export function useReplayDelivery() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/webhook-deliveries/{id}/replay', { params: { path: { id } } })),
    onSuccess: reread,
  });
}
