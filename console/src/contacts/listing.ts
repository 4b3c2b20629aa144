import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { ContactFilters, ContactListing } from '../api/keys';
import type { ContactSort } from '../api/types';

const FILTERS = ['owner_id', 'stage', 'tag', 'company', 'updated_since'] as const;
export const DEFAULT_SORT: ContactSort = '-created_at';

/** What is listed, kept in the address so that it can be shared and survives a reload. */
export function useListing() {
  const [params, setParams] = useSearchParams();
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

  const set = (name: string, value: string | null) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );

  const clear = () =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        for (const name of [...FILTERS, 'q']) next.delete(name);
        return next;
      },
      { replace: true },
    );

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
