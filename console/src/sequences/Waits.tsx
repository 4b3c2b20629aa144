import { Group, NumberInput, Select } from '@mantine/core';
import type { StepIn } from '../api/types';

const UNITS = [
  { value: 'minutes', label: 'minutes', of: 1 },
  { value: 'hours', label: 'hours', of: 60 },
  { value: 'days', label: 'days', of: 1440 },
  { value: 'business', label: 'business days', of: 0 },
] as const;

type Unit = (typeof UNITS)[number]['value'];

function read(step: StepIn): { amount: number; unit: Unit } {
  if (step.wait_business_days) return { amount: step.wait_business_days, unit: 'business' };
  const minutes = step.wait_minutes ?? 0;
  if (minutes > 0 && minutes % 1440 === 0) return { amount: minutes / 1440, unit: 'days' };
  if (minutes > 0 && minutes % 60 === 0) return { amount: minutes / 60, unit: 'hours' };
  return { amount: minutes, unit: minutes === 0 ? 'days' : 'minutes' };
}

/** How long a step waits after the one before it. */
export function Waits({ step, onChange }: { step: StepIn; onChange: (change: Partial<StepIn>) => void }) {
  const { amount, unit } = read(step);
  const write = (next: number, of: Unit) => {
    if (of === 'business') {
      onChange({ wait_minutes: null, wait_business_days: Math.max(1, next) });
      return;
    }
    const factor = UNITS.find((each) => each.value === of)?.of ?? 1;
    onChange({ wait_business_days: null, wait_minutes: Math.max(0, next) * factor });
  };
  return (
    <Group gap="xs" wrap="nowrap">
      <NumberInput
        size="xs"
        w={80}
        aria-label="Wait"
        min={unit === 'business' ? 1 : 0}
        value={amount}
        onChange={(value) => write(Number(value) || 0, unit)}
      />
      <Select
        size="xs"
        w={140}
        aria-label="Unit of the wait"
        allowDeselect={false}
        data={UNITS.map(({ value, label }) => ({ value, label }))}
        value={unit}
        onChange={(value) => write(amount, (value ?? 'days') as Unit)}
      />
    </Group>
  );
}
