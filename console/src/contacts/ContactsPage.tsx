import { Button } from '@mantine/core';
import { IconAddressBook, IconPlus, IconSearchOff } from '@tabler/icons-react';
import { useMemo } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { May } from '../app/May';
import { usePeopleNames } from '../floor/people';
import { matches } from '../live/reduce/contacts';
import { Age } from '../ui/Age';
import { Page } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { ContactFilters } from './ContactFilters';
import { NewContact } from './ContactForm';
import { ContactPanel } from './ContactPanel';
import classes from './Contacts.module.css';
import { ContactTable } from './ContactTable';
import { DEFAULT_SORT, useListing } from './listing';
import { useContacts, useFacets, useSearch } from './queries';

const FOUND = 100;

/** The list that is shown: the search's results within the filters, or the whole list page by page. */
function useShown({ listing, q }: Pick<ReturnType<typeof useListing>, 'listing' | 'q'>) {
  const pages = useContacts(listing, q === '');
  const found = useSearch(q, FOUND);
  const contacts = useMemo(
    () =>
      q
        ? (found.data?.data ?? []).filter((contact) => matches(contact, listing))
        : (pages.data?.pages.flatMap((page) => page.data) ?? []),
    [q, found.data, pages.data, listing],
  );
  return { contacts, pages, query: q ? found : pages };
}

const MORE_OFF = { has: false, busy: false, load: () => undefined };

/** Everybody the company may call, and the one that is open. */
export function ContactsPage() {
  const { id } = useParams();
  const navigate = useNavigate();
  const view = useListing();
  const facets = useFacets();
  const names = usePeopleNames();
  const { contacts, pages, query } = useShown(view);
  const nothing = query.isSuccess && contacts.length === 0;
  const narrowed = view.filtered || view.q !== '';

  const body = () => {
    if (query.isPending) return <Loading rows={12} height={22} />;
    if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
    if (nothing && narrowed) {
      return (
        <Empty
          icon={<IconSearchOff size={20} />}
          title="Nobody matches"
          action={
            <Button variant="default" onClick={view.clear}>
              Show everybody
            </Button>
          }
        >
          Try fewer words or another filter.
        </Empty>
      );
    }
    if (nothing) {
      return (
        <Empty
          icon={<IconAddressBook size={20} />}
          title="No contacts yet"
          action={
            <May do="contacts:import">
              <Button component={Link} to="/imports/new">
                Import a file
              </Button>
            </May>
          }
        >
          Bring your list as a CSV file, or add the first person by hand.
        </Empty>
      );
    }
    return (
      <ContactTable
        contacts={contacts}
        selected={id}
        stale={query.isPlaceholderData}
        sort={view.listing.sort}
        sortable={view.q === ''}
        onSort={(sort) => view.set('sort', sort === DEFAULT_SORT ? null : sort)}
        ownerNames={names}
        hrefOf={(contactId) => `/contacts/${contactId}${view.search}`}
        // With the search as it is now: it may have been applied a moment ago, and the rows not drawn again yet.
        onOpen={(contactId) => navigate(`/contacts/${contactId}${window.location.search}`)}
        more={
          view.q
            ? MORE_OFF
            : { has: pages.hasNextPage, busy: pages.isFetchingNextPage, load: pages.fetchNextPage }
        }
      />
    );
  };

  return (
    <Page
      title="Contacts"
      beside={<Age updatedAt={query.dataUpdatedAt} />}
      actions={
        <May do="contacts:write">
          <Button leftSection={<IconPlus size={16} />} onClick={() => view.set('new', '1')}>
            New contact
          </Button>
        </May>
      }
    >
      <div className={classes.split} data-open={id ? true : undefined}>
        <div className={classes.list}>
          <ContactFilters
            q={view.q}
            filters={view.listing}
            filtered={view.filtered}
            facets={facets.data}
            set={view.set}
            clear={view.clear}
            compact={id !== undefined}
          />
          {body()}
        </div>
        {id && <ContactPanel key={id} id={id} onClose={() => navigate(`/contacts${view.search}`)} />}
      </div>
      {view.creating && (
        <NewContact
          onClose={() => view.set('new', null)}
          onCreated={(contact) => navigate(`/contacts/${contact.id}`)}
        />
      )}
    </Page>
  );
}
