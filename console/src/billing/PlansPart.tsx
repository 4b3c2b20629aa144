import { Button, NumberInput, SegmentedControl, Text } from '@mantine/core';
import { useState } from 'react';
import { ToneBadge } from '../calls/StateBadge';
import { FormFoot } from '../ui/FormFoot';
import { Panel } from '../ui/Panel';
import classes from './Billing.module.css';
import { BuyDialog } from './BuyDialog';
import { ChangeDialog } from './ChangeDialog';
import { type Billing, type PlanOnSale, type Plans, useCheckout, type Wanted } from './queries';
import { money, roundMoney } from './words';

type Every = Wanted['every'];

function PlanCard(props: {
  plan: PlanOnSale;
  plans: Plans;
  every: Every;
  seats: number;
  isCurrent: boolean;
  isSame: boolean;
  isBuying: boolean;
  onChoose: () => void;
}) {
  const { plan, plans, every, seats, isCurrent, isSame } = props;
  const amount = every === 'month' ? plan.monthly_minor : plan.yearly_minor;
  const below = plans.plans[plans.plans.indexOf(plan) - 1];
  const isTooSmall = plan.most_seats !== null && seats > plan.most_seats;
  return (
    <article className={classes.plan} data-current={isCurrent || undefined} aria-label={plan.title}>
      <div className={classes.planHead}>
        <Text fw={650}>{plan.title}</Text>
        {isCurrent && <ToneBadge tone="good">Your plan</ToneBadge>}
      </div>
      <div className={classes.price}>
        <span className={classes.amount}>{roundMoney(amount, plan.currency)}</span>
        <Text size="sm" className="muted">
          a seat, {every === 'month' ? 'monthly' : 'yearly'}
        </Text>
      </div>
      <ul className={classes.features}>
        <li>{plan.most_seats === null ? 'Any number of people' : `Up to ${plan.most_seats} people`}</li>
        <li>{below ? `Everything in ${below.title}` : 'Calls, mail, sequences and the floor'}</li>
        {plans.features
          .filter(({ name }) => plan.features.includes(name) && !below?.features.includes(name))
          .map((feature) => (
            <li key={feature.name}>{feature.title}</li>
          ))}
      </ul>
      <Text size="sm" className="muted">
        {isTooSmall
          ? `For up to ${plan.most_seats} people`
          : `${money(amount * seats, plan.currency)} a ${every}`}
      </Text>
      <Button
        variant={isCurrent ? 'default' : 'light'}
        disabled={isSame || isTooSmall}
        loading={props.isBuying}
        onClick={props.onChoose}
      >
        {isSame ? 'This is what you have' : isCurrent ? 'Change seats or rhythm' : `Choose ${plan.title}`}
      </Button>
    </article>
  );
}

/** The plans, what they cost for as many people as one likes, and the way to each. */
export function PlansPart({ billing, plans }: { billing: Billing; plans: Plans }) {
  const account = billing.account;
  const bought = account?.is_subscribed ? account : null;
  const [every, setEvery] = useState<Every>(bought?.every ?? 'month');
  const [seats, setSeats] = useState(bought?.seats ?? Math.max(billing.seats_used, 1));
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const checkout = useCheckout();
  if (!account) return null;
  const choose = (plan: PlanOnSale) => {
    const wish = { plan: plan.name, every, seats };
    // The trial has everything: who buys less is told before what becomes of what they use.
    if (bought || plan.features.length < plans.features.length) setWanted(wish);
    else checkout.mutate(wish);
  };
  return (
    <Panel title={bought ? 'Change the plan' : 'Choose a plan'}>
      <div className={classes.choose}>
        <NumberInput
          label="Seats"
          description={`${billing.seats_used} in use`}
          w={130}
          min={Math.max(billing.seats_used, 1)}
          max={100_000}
          clampBehavior="blur"
          allowDecimal={false}
          value={seats}
          onChange={(value) => setSeats(Number(value) || 1)}
        />
        <SegmentedControl
          aria-label="How often it is paid"
          value={every}
          onChange={(value) => setEvery(value as Every)}
          data={[
            { value: 'month', label: 'Monthly' },
            { value: 'year', label: 'Yearly, two months free' },
          ]}
        />
      </div>
      <div className={classes.plans}>
        {plans.plans.map((plan) => (
          <PlanCard
            key={plan.name}
            plan={plan}
            plans={plans}
            every={every}
            seats={seats}
            isCurrent={bought?.plan === plan.name}
            isSame={bought?.plan === plan.name && bought.every === every && bought.seats === seats}
            isBuying={checkout.isPending && checkout.variables?.plan === plan.name}
            onChoose={() => choose(plan)}
          />
        ))}
      </div>
      {checkout.error && !wanted && (
        <div className={classes.choose}>
          <FormFoot error={checkout.error}>{null}</FormFoot>
        </div>
      )}
      <Text size="xs" className="muted" px={16} pb={16}>
        {plans.metered
          .map((each) => `${each.title}: ${(each.price_centiminor / 100).toString()} ¢ a ${each.unit}`)
          .join(' · ')}
        . Taxes are added where they apply.
      </Text>
      {wanted && !bought && (
        <BuyDialog
          wanted={wanted}
          title={plans.plans.find((plan) => plan.name === wanted.plan)?.title ?? wanted.plan}
          checkout={checkout}
          onClose={() => setWanted(null)}
        />
      )}
      {wanted && bought && (
        <ChangeDialog
          wanted={wanted}
          title={plans.plans.find((plan) => plan.name === wanted.plan)?.title ?? wanted.plan}
          account={bought}
          onClose={() => setWanted(null)}
        />
      )}
    </Panel>
  );
}
