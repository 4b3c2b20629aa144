import { Button, Group, Menu, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { inWords } from '../api/errors';
import type { Sequence, StepIn } from '../api/types';
import { notifyDone } from '../ui/notify';
import { useSetSteps } from './queries';
import classes from './Sequences.module.css';
import { StepCard } from './StepCard';
import { KINDS } from './words';

type Draft = StepIn & { key: string };

let made = 0;

function fresh(kind: StepIn['kind'], place: number): Draft {
  made += 1;
  const says = kind === 'email' || kind === 'sms';
  return {
    key: `new ${made}`,
    kind,
    wait_minutes: place === 1 ? 0 : null,
    wait_business_days: place === 1 ? null : 2,
    thread: kind === 'email' && place > 1 ? 'reply' : 'new',
    note: '',
    is_blocking: false,
    condition: kind === 'condition' ? { if: 'opened', else_position: place + 1 } : null,
    variants: says ? [{ label: 'A', weight: 1, subject: '', html: '' }] : [],
  };
}

const known = (sequence: Sequence): Draft[] =>
  sequence.steps.map(({ position: _position, ...step }) => ({ ...step, key: step.id }));

/** The steps of a sequence, edited as a whole and saved at once. */
export function StepsEditor({ sequence, mayEdit }: { sequence: Sequence; mayEdit: boolean }) {
  const save = useSetSteps(sequence.id);
  const [steps, setSteps] = useState(() => known(sequence));
  const [touched, setTouched] = useState(false);
  const write = (next: Draft[]) => {
    setTouched(true);
    setSteps(next);
  };
  const move = (index: number, by: -1 | 1) => {
    const next = [...steps];
    const [taken] = next.splice(index, 1);
    if (taken) next.splice(index + by, 0, taken);
    write(next);
  };
  const submit = () =>
    save.mutate(
      { steps: steps.map(({ key: _key, ...step }) => step), version: sequence.version },
      {
        onSuccess: (saved) => {
          setSteps(known(saved));
          setTouched(false);
          notifyDone('The steps are saved');
        },
      },
    );
  return (
    <fieldset className={classes.editor} disabled={!mayEdit}>
      <ol className={classes.steps} aria-label="Steps">
        {steps.map((step, index) => (
          <StepCard
            key={step.key}
            step={step}
            place={index + 1}
            last={steps.length}
            onChange={(change) =>
              write(steps.map((each, at) => (at === index ? { ...each, ...change } : each)))
            }
            onMove={(by) => move(index, by)}
            onRemove={() => write(steps.filter((_, at) => at !== index))}
          />
        ))}
      </ol>
      {steps.length === 0 && (
        <Text className="muted">No steps yet. Most begin with an email and a call two days later.</Text>
      )}
      <Group justify="space-between">
        <Menu position="bottom-start">
          <Menu.Target>
            <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />}>
              Add a step
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {Object.entries(KINDS).map(([kind, label]) => (
              <Menu.Item
                key={kind}
                onClick={() => write([...steps, fresh(kind as StepIn['kind'], steps.length + 1)])}
              >
                {label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Group gap="xs">
          {touched && (
            <Button
              variant="subtle"
              color="gray"
              onClick={() => {
                setSteps(known(sequence));
                setTouched(false);
              }}
            >
              Take back
            </Button>
          )}
          <Button disabled={!touched} loading={save.isPending} onClick={submit}>
            Save steps
          </Button>
        </Group>
      </Group>
      {save.error && (
        <Text c="red" role="alert">
          {inWords(save.error)}
        </Text>
      )}
    </fieldset>
  );
}
