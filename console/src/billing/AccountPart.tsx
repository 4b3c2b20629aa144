import { Button, Modal, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ToneBadge } from '../calls/StateBadge';
import { FormFoot } from '../ui/FormFoot';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import classes from './Billing.module.css';
import { type Account, type Billing, useCancelPlan, useKeepPlan, usePortal, useRedeem } from './queries';
import { day, money, outlook, STANDING } from './words';

function Fact({ label, children }: { label: string; children: string }) {
  return (
    <div className={classes.fact}>
      <p className={classes.label}>{label}</p>
      <p className={classes.value}>{children}</p>
    </div>
  );
}

function CancelDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const cancel = useCancelPlan();
  const ends = account.period_ends_at ? day(account.period_ends_at) : 'the end of the period';
  const done = () => {
    notifyDone(`The plan ends on ${ends}`);
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title="Cancel the plan?">
      <Text mb="md">
        Everything works until {ends}, which is paid for. Then your team can still read and export everything
        for a month; nothing is deleted. You can take this back until then.
      </Text>
      <FormFoot error={cancel.error} onCancel={onClose} cancel="Keep the plan">
        <Button
          color="red"
          loading={cancel.isPending}
          onClick={() => cancel.mutate(undefined, { onSuccess: done })}
        >
          Cancel the plan
        </Button>
      </FormFoot>
    </Modal>
  );
}

function CodeDialog({ onClose }: { onClose: () => void }) {
  const [code, setCode] = useState('');
  const redeem = useRedeem();
  const go = () =>
    redeem.mutate(code.trim(), {
      onSuccess: () => {
        notifyDone('The code is used from the next invoice on');
        onClose();
      },
    });
  return (
    <Modal opened onClose={onClose} title="Use a code">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          go();
        }}
      >
        <TextInput
          label="Promotion code"
          data-autofocus
          mb="md"
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <FormFoot error={redeem.error} onCancel={onClose}>
          <Button type="submit" loading={redeem.isPending} disabled={!code.trim()}>
            Use it
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}

type Props = { billing: Billing; account: Account; title: string; mayPay: boolean };

/** What the company has, how it stands, and what can be done about it. */
export function AccountPart({ billing, account, title, mayPay }: Props) {
  const [asks, setAsks] = useState<'cancel' | 'code' | null>(null);
  const portal = usePortal();
  const keep = useKeepPlan();
  const { words, tone } = STANDING[account.standing];
  const close = () => setAsks(null);
  return (
    <Panel
      title={account.is_subscribed ? title : account.standing === 'trial' ? 'Trial' : 'No plan'}
      aside={<ToneBadge tone={tone}>{words}</ToneBadge>}
    >
      <p className={classes.lead}>{outlook(account)}</p>
      <div className={classes.facts}>
        <Fact label="Seats">{`${billing.seats_used} of ${account.seats} in use`}</Fact>
        {account.is_subscribed && <Fact label="Paid">{account.every === 'year' ? 'Yearly' : 'Monthly'}</Fact>}
        {account.is_subscribed && <Fact label="Card">{account.card || 'None'}</Fact>}
        {account.coupon !== '' && <Fact label="Discount">{account.coupon}</Fact>}
        {account.balance_minor > 0 && (
          <Fact label="Credit for invoices to come">{money(account.balance_minor, account.currency)}</Fact>
        )}
        {billing.used.map((each) => (
          <Fact key={each.meter} label={`${each.title} used`}>
            {`${each.quantity.toLocaleString()} · ${money(each.amount_minor, account.currency)}`}
          </Fact>
        ))}
      </div>
      {mayPay && (
        <div className={classes.actions}>
          <Button
            variant="default"
            loading={portal.isPending}
            onClick={() => attempt(portal.mutateAsync(), 'The page could not be opened')}
          >
            Card and tax details
          </Button>
          {account.is_subscribed && (
            <Button variant="default" onClick={() => setAsks('code')}>
              Use a code
            </Button>
          )}
          {account.is_subscribed && account.cancel_at && (
            <Button
              loading={keep.isPending}
              onClick={() =>
                attempt(keep.mutateAsync(), 'The plan is still cancelled', () =>
                  notifyDone('The plan goes on'),
                )
              }
            >
              Keep the plan
            </Button>
          )}
          {account.is_subscribed && !account.cancel_at && (
            <Button variant="subtle" color="red" onClick={() => setAsks('cancel')}>
              Cancel the plan
            </Button>
          )}
        </div>
      )}
      {asks === 'cancel' && <CancelDialog account={account} onClose={close} />}
      {asks === 'code' && <CodeDialog onClose={close} />}
    </Panel>
  );
}
