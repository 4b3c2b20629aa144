import { Link } from 'react-router';
import { ToneBadge } from '../calls/StateBadge';
import { useMailboxes } from '../settings/mail';
import classes from './Inbox.module.css';

/** Whether one can trust the inbox to be whole: the worst of one's mailboxes, as measured. */
export function MailMeter() {
  const mailboxes = (useMailboxes().data?.data ?? []).filter((each) => each.state !== 'disconnected');
  if (mailboxes.length === 0) return null;
  const late = mailboxes.filter((each) => each.meter.state !== 'current');
  const worst =
    late.find((each) => each.meter.state === 'revoked' || each.meter.state === 'failing') ?? late[0];
  const bad = worst && ['revoked', 'failing'].includes(worst.meter.state);
  return (
    <Link to="/settings/mailboxes" className={classes.meter} title={worst?.meter.words}>
      <ToneBadge tone={!worst ? 'good' : bad ? 'bad' : 'warn'}>
        {worst ? `${worst.address}: ${worst.meter.words}` : 'Complete, as measured'}
      </ToneBadge>
    </Link>
  );
}
