import type { ContactFilters, ContactListing } from '../../api/keys';
import type { Contact, ContactPage } from '../../api/types';
import { laterContact, type Reduced, type Reducer, replaceIn, Stale } from './shared';

export type ContactPages = { pages: ContactPage[]; pageParams: unknown[] };

/** Whether a contact belongs in a list with these filters. */
export function matches(contact: Contact, filters: ContactFilters): boolean {
  return (
    (!filters.owner_id || contact.owner_id === filters.owner_id) &&
    (!filters.stage || contact.stage === filters.stage) &&
    (!filters.tag || contact.tags.includes(filters.tag)) &&
    (!filters.company || contact.company.toLowerCase().startsWith(filters.company.toLowerCase())) &&
    (!filters.updated_since || Date.parse(contact.updated_at) >= Date.parse(filters.updated_since))
  );
}

function holds(data: ContactPages, id: string): boolean {
  return data.pages.some((page) => page.data.some((contact) => contact.id === id));
}

function mapPages(data: ContactPages, map: (list: Contact[]) => Contact[]): ContactPages {
  let changed = false;
  const pages = data.pages.map((page) => {
    const list = map(page.data);
    if (list === page.data) return page;
    changed = true;
    return { ...page, data: list };
  });
  return changed ? { ...data, pages } : data;
}

function without(data: ContactPages, id: string): ContactPages {
  return mapPages(data, (list) =>
    list.some((contact) => contact.id === id) ? list.filter((contact) => contact.id !== id) : list,
  );
}

function added(data: ContactPages, contact: Contact, listing: ContactListing): Reduced<ContactPages> {
  if (!matches(contact, listing)) return data;
  const [first, ...rest] = data.pages;
  const newest = first?.data[0];
  const leads =
    listing.sort === '-created_at' &&
    first &&
    (!newest || Date.parse(contact.created_at) >= Date.parse(newest.created_at));
  if (!leads) return new Stale(data);
  return { ...data, pages: [{ ...first, data: [contact, ...first.data] }, ...rest] };
}

/** The infinite contact list. A row keeps its place while somebody reads it, even if its sort value changed. */
export const reduceContactPages: Reducer<ContactPages> = (data, change, key) => {
  const listing = key[1] as ContactListing;
  switch (change.type) {
    case 'contact.deleted':
      return without(data, change.data.contact_id);
    case 'contact.created':
    case 'contact.restored':
      if (holds(data, change.data.contact.id)) {
        return mapPages(data, (list) => replaceIn(list, change.data.contact, laterContact));
      }
      return added(data, change.data.contact, listing);
    case 'contact.updated': {
      const { contact } = change.data;
      if (!matches(contact, listing)) return without(data, contact.id);
      return mapPages(data, (list) => replaceIn(list, contact, laterContact));
    }
    case 'import.completed':
    case 'import.undone':
      return new Stale(data);
    default:
      return data;
  }
};

/** Search results: kept current, but never reordered under the reader's eyes. */
export const reduceSearch: Reducer<ContactPage> = (data, change) => {
  switch (change.type) {
    case 'contact.updated': {
      const list = replaceIn(data.data, change.data.contact, laterContact);
      return list === data.data ? data : { ...data, data: list };
    }
    case 'contact.deleted': {
      const list = data.data.filter((contact) => contact.id !== change.data.contact_id);
      return list.length === data.data.length ? data : { ...data, data: list };
    }
    case 'contact.created':
    case 'contact.restored':
    case 'import.completed':
    case 'import.undone':
      return new Stale(data);
    default:
      return data;
  }
};

export const reduceContact: Reducer<Contact> = (data, change) => {
  switch (change.type) {
    case 'contact.updated':
    case 'contact.restored':
      return change.data.contact.id === data.id ? laterContact(data, change.data.contact) : data;
    case 'contact.deleted':
      return change.data.contact_id === data.id ? new Stale(data) : data;
    case 'import.completed':
    case 'import.undone':
      return new Stale(data);
    default:
      return data;
  }
};

export const reduceFacets: Reducer<unknown> = (data, change) =>
  change.type.startsWith('contact.') || change.type === 'import.completed' || change.type === 'import.undone'
    ? new Stale(data)
    : data;
