import { Button, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { ToneBadge } from '../calls/StateBadge';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import { standing, steps } from './linkDomain';
import { useCheckDomain, useTrackingDomain } from './mail';
import classes from './Settings.module.css';

/** A domain that does not answer is asked again for a while; longer than this nobody waits for it. */
const PATIENCE_MS = 90_000;

/** What has to be so in the DNS and at the proxy, in this installation's words. */
function Steps({ domain }: { domain: string }) {
  return (
    <ul className={classes.rows} aria-label="What makes it lead here">
      {steps(domain, window.location.hostname).map((step) => (
        <li key={step.what} className={classes.row}>
          <Text size="xs" fw={600} className={classes.what}>
            {step.what}
          </Text>
          <div className={classes.grow}>
            <code className={classes.code}>{step.value}</code>
            <Text size="xs" className="muted">
              {step.hint}
            </Text>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Whether the domain for links leads here, why not, and what would help. */
export function LinkDomain({ mayCheck }: { mayCheck: boolean }) {
  const [asked, setAsked] = useState<{ before: string | null } | null>(null);
  const query = useTrackingDomain(asked !== null);
  const check = useCheckDomain();
  const domain = query.data;
  const awaited = asked !== null && asked.before === domain?.checked_at;
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(null), awaited ? PATIENCE_MS : 0);
    return () => clearTimeout(timer);
  }, [asked, awaited]);
  const checkNow = () =>
    attempt(check.mutateAsync(), 'The domain could not be looked at', ({ checked_at }) =>
      setAsked({ before: checked_at }),
    );
  const [word, tone] = domain ? standing(domain, awaited) : ['', 'plain' as const];
  return (
    <Panel
      title="Where links lead"
      aside={
        mayCheck &&
        domain?.domain && (
          <Button size="compact-sm" variant="default" loading={check.isPending || awaited} onClick={checkNow}>
            Check now
          </Button>
        )
      }
    >
      {query.isPending && <Loading rows={2} />}
      {query.isError && !domain && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {domain && (
        <>
          <div className={classes.row} style={{ borderTop: 0 }}>
            <div className={classes.grow} role="status">
              <Text size="sm">
                {awaited ? `${domain.domain} is asked whether it leads here.` : domain.words}
              </Text>
              {domain.checked_at && (
                <Text size="xs" className="muted">
                  Checked {moment(domain.checked_at)}; checked again every day.
                </Text>
              )}
            </div>
            {domain.domain && <ToneBadge tone={tone}>{word}</ToneBadge>}
          </div>
          {domain.domain && !domain.is_used && <Steps domain={domain.domain} />}
        </>
      )}
    </Panel>
  );
}
