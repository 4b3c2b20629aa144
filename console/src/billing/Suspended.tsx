import { Button, Text } from '@mantine/core';
import { IconCreditCard, IconDoorExit, IconFileExport } from '@tabler/icons-react';
import { type ReactNode, useEffect } from 'react';
import { Link } from 'react-router';
import { useLink, useMay } from '../app/hooks';
import { link, queryClient } from '../app/services';
import { Page, Panel } from '../ui/Panel';
import classes from './Billing.module.css';
import { usePlans } from './queries';
import { suspendedWords } from './words';

/** How often it is asked whether a suspended company has paid, as nothing comes in live that could say so. */
const ASK_MS = 3_000;

/** The plan when the company is suspended; otherwise nothing. Until it is paid for it is asked for again and again. */
export function useSuspended() {
  const status = useLink();
  const isCut = status.phase === 'closed' && status.reason === 'suspended';
  const plans = usePlans();
  const { refetch } = plans;
  useEffect(() => {
    if (!isCut) return;
    void refetch();
    const timer = setInterval(async () => {
      const { data } = await refetch();
      if (data && data.in_force?.standing !== 'suspended') {
        void queryClient.invalidateQueries();
        link.reconnect();
      }
    }, ASK_MS);
    return () => clearInterval(timer);
  }, [isCut, refetch]);
  const plan = plans.data?.in_force;
  return plan?.standing === 'suspended' ? plan : null;
}

type DoorProps = {
  icon: ReactNode;
  title: string;
  words: string;
  to?: string;
  button: string;
  main?: boolean;
};

function Door({ icon, title, words, to, button, main }: DoorProps) {
  return (
    <li className={classes.door}>
      <span className={classes.doorIcon}>{icon}</span>
      <div className={classes.doorWords}>
        <Text fw={600}>{title}</Text>
        <Text size="sm" className="muted">
          {words}
        </Text>
      </div>
      {to && (
        <Button component={Link} to={to} variant={main ? 'filled' : 'default'}>
          {button}
        </Button>
      )}
    </li>
  );
}

/** In place of the rooms: why nothing can be seen, and what can still be done. */
export function Suspended() {
  const may = useMay();
  const plan = usePlans().data?.in_force;
  if (!plan) return null;
  const mayPay = may('billing:write');
  const mayExport = may('privacy:export');
  return (
    <Page title="The account is suspended">
      <div className={classes.alone}>
        <Panel title="What can still be done">
          <p className={classes.lead}>{suspendedWords(plan)}</p>
          <ul className={classes.doors}>
            <Door
              icon={<IconCreditCard size={20} />}
              title="Pay"
              words={
                mayPay
                  ? 'Pay what is open, or choose a plan. Everything works again at once.'
                  : 'An owner or admin of your company can pay; everything works again at once.'
              }
              to={mayPay ? '/settings/plan' : undefined}
              button="Plan and invoices"
              main
            />
            <Door
              icon={<IconFileExport size={20} />}
              title="Take the data away"
              words={
                mayExport
                  ? 'Everything that your company has here, as files.'
                  : 'An owner or admin of your company can export everything that it has here.'
              }
              to={mayExport ? '/settings/privacy' : undefined}
              button="Export"
            />
            <Door
              icon={<IconDoorExit size={20} />}
              title="Leave"
              words="Leave this company; your account and your other companies stay as they are."
              to="/settings/company"
              button="Leave"
            />
          </ul>
        </Panel>
      </div>
    </Page>
  );
}
