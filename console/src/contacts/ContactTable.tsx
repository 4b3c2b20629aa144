import { Badge, Loader } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type MouseEvent, useEffect, useRef } from 'react';
import { Link } from 'react-router';
import type { Contact, ContactSort } from '../api/types';
import { Ago } from '../ui/Elapsed';
import { Initials } from '../ui/Initials';
import classes from './Contacts.module.css';
import { fullName, readable, words } from './naming';

/** The head stays over the rows while they scroll. */
const HEAD_PX = 38;

type Column = { label: string; className?: string; sort?: 'name' | 'company' | 'created_at' | 'updated_at' };

const COLUMNS: Column[] = [
  { label: 'Name', sort: 'name' },
  { label: 'Company', className: classes.cellCompany, sort: 'company' },
  { label: 'Phone', className: classes.cellPhone },
  { label: 'Email', className: classes.cellEmail },
  { label: 'Stage' },
  { label: 'Owner', className: classes.cellOwner },
  { label: 'Updated', className: classes.cellUpdated, sort: 'updated_at' },
];

function direction(column: Column, sort: ContactSort): 'ascending' | 'descending' | undefined {
  if (sort === column.sort) return 'ascending';
  return sort === `-${column.sort}` ? 'descending' : undefined;
}

type HeadProps = { sort: ContactSort; sortable: boolean; onSort: (sort: ContactSort) => void };

function Head({ sort, sortable, onSort }: HeadProps) {
  return (
    <div role="row" tabIndex={-1} className={`${classes.row} ${classes.head}`} aria-rowindex={1}>
      {COLUMNS.map((column) => {
        const way = direction(column, sort);
        const field = column.sort;
        return (
          <span
            role="columnheader"
            tabIndex={-1}
            key={column.label}
            className={column.className}
            aria-sort={way}
          >
            {field && sortable ? (
              <button
                type="button"
                className={classes.sort}
                data-active={way}
                onClick={() => onSort(way === 'ascending' ? `-${field}` : field)}
              >
                {column.label}
                {way === 'ascending' && <IconArrowUp size={13} aria-hidden />}
                {way === 'descending' && <IconArrowDown size={13} aria-hidden />}
              </button>
            ) : (
              column.label
            )}
          </span>
        );
      })}
    </div>
  );
}

/** The row opens the contact; a click for another tab or window is the browser's. */
function leaveToRow(event: MouseEvent) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) event.stopPropagation();
  else event.preventDefault();
}

function Cells({
  contact,
  href,
  ownerName,
}: {
  contact: Contact;
  href: string;
  ownerName: string | undefined;
}) {
  const name = fullName(contact);
  const secondLine = contact.title || contact.tags.slice(0, 2).join(', ');
  return (
    <>
      <span role="cell" className={classes.name}>
        <Initials name={name} size={28} />
        <span className="truncate">
          <Link to={href} onClick={leaveToRow}>
            {name}
          </Link>
          {secondLine && <div className={`${classes.sub} truncate`}>{secondLine}</div>}
          {contact.company && <div className={`${classes.subNarrow} truncate`}>{contact.company}</div>}
        </span>
      </span>
      <span role="cell" className={`${classes.cellCompany} truncate`}>
        {contact.company}
      </span>
      <span role="cell" className={`${classes.cellPhone} tabular truncate`}>
        {contact.phones[0] && readable(contact.phones[0].e164)}
      </span>
      <span role="cell" className={`${classes.cellEmail} truncate`}>
        {contact.emails[0]?.address}
      </span>
      <span role="cell" className={classes.stage}>
        {contact.stage && (
          <Badge variant="light" color="gray" tt="none" fw={500} maw={110}>
            {words(contact.stage)}
          </Badge>
        )}
      </span>
      <span role="cell" className={`${classes.cellOwner} truncate`}>
        {ownerName}
      </span>
      <span role="cell" className={`${classes.cellUpdated} muted`}>
        <Ago at={contact.updated_at} />
      </span>
    </>
  );
}

type Props = HeadProps & {
  contacts: Contact[];
  selected: string | undefined;
  stale: boolean;
  ownerNames: ReadonlyMap<string, string>;
  hrefOf: (id: string) => string;
  onOpen: (id: string) => void;
  more: { has: boolean; busy: boolean; load: () => void };
};

/** The contacts as a virtual table; the arrow keys walk through the rows, Enter opens one. */
export function ContactTable(props: Props) {
  const { contacts, more } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const phone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const height = phone ? 60 : 50;
  const rows = useVirtualizer({
    count: contacts.length + (more.has ? 1 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    scrollPaddingStart: HEAD_PX,
    getItemKey: (index) => contacts[index]?.id ?? 'more',
  });

  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const wantsMore = more.has && !more.busy && last >= contacts.length - 25;
  const { load } = more;
  useEffect(() => {
    if (wantsMore) load();
  }, [wantsMore, load]);

  const step = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    const next = row ? Number(row.dataset.index) + (event.key === 'ArrowDown' ? 1 : -1) : 0;
    if (next < 0 || next >= contacts.length) return;
    event.preventDefault();
    rows.scrollToIndex(next);
    requestAnimationFrame(() =>
      scroller.current
        ?.querySelector<HTMLElement>(`[data-index="${next}"] a`)
        ?.focus({ preventScroll: true }),
    );
  };

  return (
    <div
      role="table"
      aria-label="Contacts"
      aria-rowcount={more.has ? -1 : contacts.length + 1}
      className={classes.table}
      data-stale={props.stale || undefined}
    >
      <div ref={scroller} className={classes.scroller} role="presentation">
        <Head sort={props.sort} sortable={props.sortable} onSort={props.onSort} />
        <div
          className={classes.inner}
          role="rowgroup"
          onKeyDown={step}
          style={{ height: rows.getTotalSize() }}
        >
          {items.map((item) => {
            const contact = contacts[item.index];
            const place = { height: item.size, transform: `translateY(${item.start}px)` };
            if (!contact) {
              return (
                <div
                  key={item.key}
                  className={`${classes.row} ${classes.body}`}
                  style={place}
                  role="presentation"
                >
                  <Loader size="xs" type="dots" aria-label="Loading more" />
                </div>
              );
            }
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the name in the row is the link that the keyboard uses
              <div
                role="row"
                tabIndex={-1}
                key={item.key}
                data-index={item.index}
                data-selected={contact.id === props.selected || undefined}
                aria-rowindex={item.index + 2}
                className={`${classes.row} ${classes.body}`}
                style={place}
                onClick={() => props.onOpen(contact.id)}
              >
                <Cells
                  contact={contact}
                  href={props.hrefOf(contact.id)}
                  ownerName={contact.owner_id ? props.ownerNames.get(contact.owner_id) : undefined}
                />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
