import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useMay } from '../app/hooks';
import settings from '../settings/Settings.module.css';
import { type Feature, useFeature, usePlans } from './queries';

/** Stands before something that the company's plan lacks, and says which plan has it; nothing where it is allowed. */
export function NeedsPlan({ feature, children }: { feature: Feature; children?: ReactNode }) {
  const { allowed, needed, title } = useFeature(feature);
  const plans = usePlans().data?.plans;
  const mayPay = useMay()('billing:write');
  if (allowed) return children;
  const name = plans?.find((plan) => plan.name === needed)?.title ?? 'a larger plan';
  return (
    <div className={settings.notice}>
      <Text size="sm">
        {title}: this comes with {name}.{' '}
        {mayPay ? <Link to="/settings/plan">See the plans</Link> : 'An owner or admin can change the plan.'}
      </Text>
    </div>
  );
}
