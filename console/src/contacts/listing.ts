import { useMemo } from 'react';
import { useLocation, useNavigate } from 'react-router';
import type { ContactFilters, ContactListing } from '../api/keys';
import type { ContactSort } from '../api/types';

const FILTERS = ['owner_id', 'stage', 'tag', 'company', 'updated_since'] as const;
export const DEFAULT_SORT: ContactSort = '-created_at';

/** What is listed, kept in the address so that it can be shared and survives a reload. */
export function useListing() {
  const location = useLocation();
  const navigate = useNavigate();
  const params = useMemo(() => new URLSearchParams(location.search), [location.search]);
  const text = params.toString();

  const listing = useMemo<ContactListing>(() => {
    const read = new URLSearchParams(text);
    const filters: ContactFilters = {};
    for (const name of FILTERS) {
      const value = read.get(name);
      if (value) filters[name] = value;
    }
    return { ...filters, sort: (read.get('sort') ?? DEFAULT_SORT) as ContactSort };
  }, [text]);

  // By the address as it is now, not as it was when this was rendered: a contact that was opened meanwhile must not be closed
  // by a search that is applied a moment later.
  const write = (change: (next: URLSearchParams) => void) => {
    const { pathname, search } = window.location;
    const next = new URLSearchParams(search);
    change(next);
    navigate({ pathname, search: next.toString() }, { replace: true });
  };

  const set = (name: string, value: string | null) =>
    write((next) => (value ? next.set(name, value) : next.delete(name)));

  const clear = () =>
    write((next) => {
      for (const name of [...FILTERS, 'q']) next.delete(name);
    });

  return {
    listing,
    q: params.get('q') ?? '',
    filtered: FILTERS.some((name) => params.has(name)),
    creating: params.has('new'),
    search: text ? `?${text}` : '',
    set,
    clear,
  };
}
