import { Link } from 'react-router';
import { useMay } from '../app/hooks';
import classes from './Billing.module.css';
import { usePlans } from './queries';
import { bannerWords } from './words';

/** Says above every room that nothing was paid, what follows, and where to mend it. */
export function PlanBanner() {
  const mayPay = useMay()('billing:write');
  const plan = usePlans().data?.in_force;
  const words = plan && bannerWords(plan, mayPay);
  if (!words) return null;
  const isBad = plan.standing === 'read_only' || plan.standing === 'suspended';
  return (
    <div className={classes.banner} role="status" data-bad={isBad || undefined}>
      <span>{words}</span>
      {mayPay ? (
        <Link to="/settings/plan">Plan and invoices</Link>
      ) : (
        <span className="muted">An owner or admin can pay.</span>
      )}
    </div>
  );
}
