import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { type ContactListing, keys } from '../api/keys';
import type { ActivityPage, Contact, ContactInput, ContactPage } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher } from '../app/services';

const PAGE = 100;

/** The contact list, page by page. */
export function useContacts(listing: ContactListing, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: keys.contacts(listing),
    enabled,
    initialPageParam: null as string | null,
    queryFn: dispatcher.currentPage<ContactPage>(({ pageParam, signal }) => {
      const query = { ...listing, limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) };
      return unwrap(api.GET('/api/v1/contacts', { params: { query }, signal }));
    }),
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}

/** Search as you type; an older search is aborted by a newer one. */
export function useSearch(q: string, limit: number) {
  return useQuery({
    queryKey: [...keys.search(q), limit],
    enabled: q.length > 0,
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/search', { params: { query: { q, limit } }, signal })),
    ),
    placeholderData: keepPreviousData,
  });
}

async function readContact(
  id: string,
  signal?: AbortSignal,
): Promise<{ contact: Contact; etag: string | null }> {
  let etag: string | null = null;
  const contact = await unwrap(
    api.GET('/api/v1/contacts/{id}', { params: { path: { id } }, signal }).then((answer) => {
      etag = answer.response.headers.get('ETag');
      return answer;
    }),
  );
  return { contact, etag };
}

export function useContact(id: string) {
  return useQuery({
    queryKey: keys.contact(id),
    queryFn: dispatcher.current(async ({ signal }) => (await readContact(id, signal)).contact),
    refetchInterval: usePolling(20_000),
  });
}

/** The contact as it is now, with the tag that an update has to name. */
export function useContactForEdit(id: string) {
  return useQuery({
    queryKey: ['contact_edit', id],
    queryFn: ({ signal }) => readContact(id, signal),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

export function useFacets() {
  return useQuery({
    queryKey: keys.facets(),
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/contacts/facets', { signal })),
  });
}

export function useTimeline(contactId: string) {
  return useInfiniteQuery({
    queryKey: keys.timeline(contactId),
    initialPageParam: null as string | null,
    queryFn: dispatcher.currentPage<ActivityPage>(({ pageParam, signal }) => {
      const query = { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) };
      const params = { path: { id: contactId }, query };
      return unwrap(api.GET('/api/v1/contacts/{id}/timeline', { params, signal }));
    }),
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: usePolling(20_000),
  });
}

export function useCreateContact() {
  return useMutation({
    mutationFn: (body: ContactInput) => unwrap(api.POST('/api/v1/contacts', { body })),
    onSuccess: (contact) => dispatcher.apply({ type: 'contact.created', data: { contact } }),
  });
}

export function useUpdateContact(id: string) {
  return useMutation({
    mutationFn: ({ body, etag }: { body: ContactInput; etag: string | null }) =>
      unwrap(
        api.PATCH('/api/v1/contacts/{id}', {
          params: { path: { id }, header: etag ? { 'If-Match': etag } : {} },
          body,
        }),
      ),
    onSuccess: (contact) => dispatcher.apply({ type: 'contact.updated', data: { contact } }),
  });
}

export function useDeleteContact() {
  return useMutation({
    mutationFn: async (id: string) => {
      await unwrap(api.DELETE('/api/v1/contacts/{id}', { params: { path: { id } } }));
      return id;
    },
    // The open contact closes itself; dropping what is held of it here would read it again meanwhile, and it is gone.
    onSuccess: (id) => dispatcher.apply({ type: 'contact.deleted', data: { contact_id: id } }),
  });
}

export function useRestoreContact() {
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.POST('/api/v1/contacts/{id}/restore', { params: { path: { id } } })),
    onSuccess: (contact) => dispatcher.apply({ type: 'contact.restored', data: { contact } }),
  });
}

export function useAddNote(contactId: string) {
  return useMutation({
    mutationFn: (text: string) =>
      unwrap(
        api.POST('/api/v1/contacts/{id}/notes', {
          params: { path: { id: contactId } },
          body: { body: text },
        }),
      ),
    onSuccess: (activity) => dispatcher.apply({ type: 'activity.created', data: { activity } }),
  });
}
