import { Button, Modal, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState } from 'react';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import classes from './Billing.module.css';
import { type Account, type Other, type PlanOnSale, useEndOther } from './queries';
import { day, money } from './words';

/** "Basic, 6 seats, monthly", as far as it is one of our plans. */
function named(other: Other, plans: PlanOnSale[]): string {
  const title = plans.find((plan) => plan.name === other.plan)?.title ?? 'Another plan';
  const seats = `${other.seats} ${other.seats === 1 ? 'seat' : 'seats'}`;
  return `${title}, ${seats}, ${other.every === 'year' ? 'yearly' : 'monthly'}`;
}

function EndDialog({ other, name, onClose }: { other: Other; name: string; onClose: () => void }) {
  const end = useEndOther();
  const sum = money(other.paid_minor, other.currency);
  const go = () =>
    end.mutate(other.id, {
      onSuccess: ({ returned_minor, currency }) => {
        notifyDone(
          returned_minor > 0
            ? `The second plan has ended; ${money(returned_minor, currency)} go back to you`
            : 'The second plan has ended',
        );
        onClose();
      },
    });
  return (
    <Modal opened onClose={onClose} title="End the second plan?">
      <Text mb="md">
        {name} ends at once. Your own plan, its seats and its invoices stay as they are.{' '}
        {other.paid_minor > 0
          ? `All that was paid for the second plan, ${sum}, is given back the way it was paid: to the card within five to ten days, credit as credit.`
          : 'Nothing was paid for it, so that nothing has to be given back.'}
      </Text>
      <FormFoot error={end.error} onCancel={onClose}>
        <Button color="red" loading={end.isPending} onClick={go} data-autofocus>
          {other.paid_minor > 0 ? `End it and give ${sum} back` : 'End it'}
        </Button>
      </FormFoot>
    </Modal>
  );
}

type Props = { account: Account; plans: PlanOnSale[]; title: string; mayPay: boolean };

/** What was bought twice: that only the older plan counts, and the way out of the newer one. */
export function SecondPlan({ account, plans, title, mayPay }: Props) {
  const [ending, setEnding] = useState<Other | null>(null);
  if (account.others.length === 0) return null;
  return (
    <section className={classes.note} data-bad aria-label="Second plan">
      <Text fw={650} className={classes.noteTitle}>
        <IconAlertTriangle size={18} aria-hidden />
        Your company pays for two plans
      </Text>
      <Text size="sm">
        Only the older one counts: {title}, {account.seats} {account.seats === 1 ? 'seat' : 'seats'}. The
        newer one gives you nothing; end it, and all that was paid for it is given back.
      </Text>
      <ul className={classes.others} aria-label="Second plans">
        {account.others.map((each) => (
          <li key={each.id}>
            <div className={classes.doorWords}>
              <Text fw={600} size="sm">
                {named(each, plans)}
              </Text>
              <Text size="xs" className="muted">
                Bought on {day(each.created_at)} · {money(each.paid_minor, each.currency)} paid
              </Text>
            </div>
            {mayPay ? (
              <Button size="compact-sm" color="red" onClick={() => setEnding(each)}>
                End it
              </Button>
            ) : (
              <Text size="sm" className="muted">
                An owner or admin can end it.
              </Text>
            )}
          </li>
        ))}
      </ul>
      {ending && <EndDialog other={ending} name={named(ending, plans)} onClose={() => setEnding(null)} />}
    </section>
  );
}
