import { Button, Text } from '@mantine/core';
import { IconReceipt } from '@tabler/icons-react';
import { useState } from 'react';
import { ToneBadge } from '../calls/StateBadge';
import settings from '../settings/Settings.module.css';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import classes from './Billing.module.css';
import { type Invoice, invoiceLinks, useInvoices } from './queries';
import { day, INVOICE, money } from './words';

function Row({ invoice }: { invoice: Invoice }) {
  const [asking, setAsking] = useState(false);
  const { words, tone } = INVOICE[invoice.status];
  const name = invoice.number || 'Draft';
  const go = (which: 'page' | 'pdf') => {
    setAsking(true);
    const found = invoiceLinks(invoice.id).finally(() => setAsking(false));
    attempt(found, 'The invoice could not be opened', (links) => {
      if (links[which]) window.location.assign(links[which]);
    });
  };
  return (
    <li className={settings.row}>
      <div className={settings.grow}>
        <Text fw={550}>{name}</Text>
        <Text size="xs" className="muted">
          {day(invoice.created_at)}
          {invoice.status === 'open' && invoice.next_attempt_at
            ? ` · the card is tried again on ${day(invoice.next_attempt_at)}`
            : ''}
        </Text>
      </div>
      <ToneBadge tone={tone}>{words}</ToneBadge>
      <Text className={classes.number}>{money(invoice.total_minor, invoice.currency)}</Text>
      {invoice.status === 'open' && (
        <Button
          size="compact-sm"
          loading={asking}
          aria-label={`Pay invoice ${name}`}
          onClick={() => go('page')}
        >
          Pay
        </Button>
      )}
      {invoice.status !== 'draft' && (
        <Button
          size="compact-sm"
          variant="default"
          disabled={asking}
          aria-label={`PDF of invoice ${name}`}
          onClick={() => go('pdf')}
        >
          PDF
        </Button>
      )}
    </li>
  );
}

/** Every invoice there was, the newest first, to pay and to keep. */
export function InvoicesPart() {
  const query = useInvoices();
  const all = query.data?.data ?? [];
  return (
    <Panel title="Invoices">
      {query.isPending && <Loading rows={3} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.data && all.length === 0 && (
        <Empty icon={<IconReceipt size={20} />} title="No invoices yet">
          The first one comes with the first payment.
        </Empty>
      )}
      <ul className={settings.rows} aria-label="Invoices">
        {all.map((invoice) => (
          <Row key={invoice.id} invoice={invoice} />
        ))}
      </ul>
    </Panel>
  );
}
