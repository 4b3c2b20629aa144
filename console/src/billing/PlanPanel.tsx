import { Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useSearchParams } from 'react-router';
import { useMay } from '../app/hooks';
import settings from '../settings/Settings.module.css';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import { AccountPart } from './AccountPart';
import { InvoicesPart } from './InvoicesPart';
import { PlansPart } from './PlansPart';
import { type Billing, useBilling, usePlans, useSync } from './queries';
import { SecondPlan } from './SecondPlan';

/** Who comes back from the page on which they paid sees at once what they bought. */
function useReturn() {
  const [params, setParams] = useSearchParams();
  const sync = useSync();
  const isBack = params.has('bought');
  const { mutateAsync } = sync;
  useEffect(() => {
    if (!isBack) return;
    setParams({}, { replace: true });
    attempt(mutateAsync(), 'What was bought could not be read yet', (billing) => {
      if (billing.account?.is_subscribed) notifyDone('Thank you. The plan is yours.', 'bought');
    });
  }, [isBack, setParams, mutateAsync]);
}

/** What the nightly comparison with the payment provider found. */
function Differences({ billing }: { billing: Billing }) {
  if (billing.differences.length === 0) return null;
  return (
    <Panel title="Differences that were found">
      <ul className={settings.rows} aria-label="Differences">
        {billing.differences.map((each) => (
          <li key={`${each.field} ${each.found_at}`} className={settings.row}>
            <div className={settings.grow}>
              <Text fw={550}>{each.field.replaceAll('_', ' ')}</Text>
              <Text size="xs" className="muted">
                Here “{each.ours || 'nothing'}”, at the payment provider “{each.theirs || 'nothing'}” ·{' '}
                {moment(each.found_at)}
              </Text>
            </div>
            <Text size="sm" className="muted">
              {each.mended ? 'Taken over' : 'To be looked at'}
            </Text>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** The plan, what it costs, and every invoice. */
export default function PlanPanel() {
  useReturn();
  const mayPay = useMay()('billing:write');
  const billing = useBilling();
  const plans = usePlans();
  if (billing.isPending || plans.isPending) return <Loading />;
  if (!billing.data) return <Failure error={billing.error} onRetry={() => billing.refetch()} />;
  if (!plans.data) return <Failure error={plans.error} onRetry={() => plans.refetch()} />;
  const account = billing.data.account;
  if (!account)
    return (
      <Panel title="Plan">
        <Empty icon={<IconCircleCheck size={20} />} title="There is nothing to pay here">
          This Ringside is not connected to a payment provider: every feature is open, for as many people as
          you like.
        </Empty>
      </Panel>
    );
  const title = plans.data.plans.find((plan) => plan.name === account.plan)?.title ?? account.plan;
  const form = `${account.plan} ${account.every} ${account.seats} ${account.is_subscribed}`;
  return (
    <>
      <SecondPlan account={account} plans={plans.data.plans} title={title} mayPay={mayPay} />
      <AccountPart billing={billing.data} account={account} title={title} mayPay={mayPay} />
      {mayPay && <PlansPart key={form} billing={billing.data} plans={plans.data} />}
      <InvoicesPart />
      <Differences billing={billing.data} />
    </>
  );
}
