import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { components } from '../api/schema';
import { useMe, usePolling } from '../app/hooks';
import { api, dispatcher, queryClient } from '../app/services';
import { type DeviceIn, pushState, subscribe, unsubscribe } from './push';
import { deviceOf, forget, remember } from './remembered';

type Schemas = components['schemas'];
export type NotificationSettings = Schemas['NotificationSettings'];

export function useNotifications() {
  return useQuery({
    queryKey: keys.notifications(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/notifications', { params: { query: { limit: 30 } }, signal })),
    ),
    refetchInterval: usePolling(30_000),
  });
}

function reread(...root: string[]): void {
  void queryClient.invalidateQueries({ queryKey: root });
}

export function readOne(id: string): Promise<unknown> {
  return unwrap(api.POST('/api/v1/notifications/{id}/read', { params: { path: { id } } }));
}

export function useReadOne() {
  return useMutation({ mutationFn: readOne, onSuccess: () => reread('notifications') });
}

export function useReadAll() {
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/notifications/read')),
    onSuccess: () => reread('notifications'),
  });
}

export function useNotificationSettings() {
  return useQuery({
    queryKey: keys.notificationSettings(),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/notifications/settings', { signal })),
    ),
    refetchInterval: usePolling(),
  });
}

/** What was chosen is shown at once; the server's answer counts when no further choice is on its way. */
export function useSaveNotificationSettings() {
  const mutationKey = keys.notificationSettings();
  return useMutation({
    mutationKey,
    mutationFn: (body: Schemas['NotificationSettingsIn']) =>
      unwrap(api.PUT('/api/v1/notifications/settings', { body })),
    onMutate: ({ topics }) =>
      queryClient.setQueryData<NotificationSettings>(keys.notificationSettings(), (known) =>
        known
          ? { ...known, topics: known.topics.map((each) => ({ ...each, ...topics?.[each.name] })) }
          : known,
      ),
    onSuccess: (settings) => {
      if (queryClient.isMutating({ mutationKey }) === 1) {
        queryClient.setQueryData(keys.notificationSettings(), settings);
      }
    },
    onError: () => reread('notification_settings'),
  });
}

export function useDevices() {
  return useQuery({
    queryKey: keys.pushDevices(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/push/devices', { signal }))),
    refetchInterval: usePolling(),
  });
}

/** Enters this browser with the server, for the sign-in there is. */
export async function enterDevice(person: string, body: DeviceIn): Promise<void> {
  const made = await unwrap(api.POST('/api/v1/push/devices', { body }));
  remember(person, made.id);
}

function usePerson(): string {
  const { tenant, user } = useMe();
  return `${tenant.id}/${user.id}`;
}

/** What this browser can do, and the id under which it takes pushes for who is signed in. */
export function useThisBrowser() {
  const person = usePerson();
  return useQuery({
    queryKey: keys.thisBrowser(person),
    queryFn: async () => ({ state: await pushState(), id: deviceOf(person) }),
    staleTime: 0,
  });
}

export function useTakePushes() {
  const person = usePerson();
  return useMutation({
    mutationFn: async (key: string) => enterDevice(person, await subscribe(key)),
    onSettled: () => {
      reread('push_devices');
      reread('this_browser');
    },
  });
}

export function useRemoveDevice() {
  const person = usePerson();
  return useMutation({
    mutationFn: async (id: string) => {
      await unwrap(api.DELETE('/api/v1/push/devices/{id}', { params: { path: { id } } }));
      if (id === deviceOf(person) && forget(person)) await unsubscribe();
    },
    onSettled: () => {
      reread('push_devices');
      reread('this_browser');
    },
  });
}

export function useTryDevice() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/push/devices/{id}/test', { params: { path: { id } } })),
  });
}
