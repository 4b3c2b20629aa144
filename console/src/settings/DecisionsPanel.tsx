import { SegmentedControl, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { ToneBadge } from '../calls/StateBadge';
import { readable } from '../contacts/naming';
import { Ago } from '../ui/Elapsed';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { usePermits } from './compliance';
import classes from './Settings.module.css';

/** Every decision about reaching somebody, with its reason. */
export function DecisionsPanel() {
  const [which, setWhich] = useState('refused');
  const query = usePermits({ limit: 50, ...(which === 'refused' ? { allowed: false } : {}) });
  const list = query.data?.data ?? [];
  return (
    <Panel
      title="Decisions"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which decisions"
          data={[
            { value: 'refused', label: 'Refused' },
            { value: 'all', label: 'All' },
          ]}
          value={which}
          onChange={setWhich}
        />
      }
    >
      {query.isPending && <Loading rows={4} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      <ul className={classes.rows} aria-label="Decisions">
        {list.map((each) => (
          <li key={each.id} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={600}>
                <Link to={`/contacts/${each.contact_id}`} style={{ color: 'inherit' }}>
                  {each.contact_name}
                </Link>{' '}
                <span className="muted tabular">{readable(each.address)}</span>
              </Text>
              <Text size="xs" className="muted">
                {each.explanation}
              </Text>
              {each.override && (
                <Text size="xs" style={{ color: 'var(--rs-warn)' }}>
                  Set aside by {each.override.by.name}: {each.override.reason}
                </Text>
              )}
            </div>
            <ToneBadge tone={each.allowed ? 'good' : 'bad'}>{each.allowed ? 'Allowed' : 'Refused'}</ToneBadge>
            <Text size="xs" className="muted">
              <Ago at={each.created_at} />
            </Text>
          </li>
        ))}
        {query.isSuccess && list.length === 0 && (
          <li className={classes.row}>
            <Text className="muted">
              {which === 'refused' ? 'Nothing was refused.' : 'Nothing was decided yet.'}
            </Text>
          </li>
        )}
      </ul>
    </Panel>
  );
}
