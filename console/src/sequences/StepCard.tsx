import {
  ActionIcon,
  Button,
  Group,
  NumberInput,
  Select,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import {
  IconArrowDown,
  IconArrowUp,
  IconCheckbox,
  IconClock,
  IconGitBranch,
  IconMail,
  IconMessage,
  IconPhone,
  IconTrash,
} from '@tabler/icons-react';
import type { StepIn, VariantIn } from '../api/types';
import { useTemplates } from '../templates/queries';
import classes from './Sequences.module.css';
import { Waits } from './Waits';
import { CONDITIONS, KINDS, waitWords } from './words';

const ICONS = {
  email: IconMail,
  call: IconPhone,
  sms: IconMessage,
  task: IconCheckbox,
  wait: IconClock,
  condition: IconGitBranch,
};

const asText = (html: string) =>
  new DOMParser().parseFromString(
    html.replaceAll(/<\/p>\s*<p>/gi, '\n\n').replaceAll(/<br\s*\/?>/gi, '\n'),
    'text/html',
  ).body.textContent ?? '';

const asHtml = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .split(/\n{2,}/)
    .map((part) => `<p>${part.replaceAll('\n', '<br>')}</p>`)
    .join('');

type VariantProps = {
  variant: VariantIn;
  kind: StepIn['kind'];
  reply: boolean;
  alone: boolean;
  onChange: (change: Partial<VariantIn>) => void;
  onRemove: () => void;
};

function Variant({ variant, kind, reply, alone, onChange, onRemove }: VariantProps) {
  const templates = useTemplates().data?.data ?? [];
  const fromTemplate = Boolean(variant.template_id);
  return (
    <div className={classes.variant}>
      {!alone && (
        <Group gap="xs" justify="space-between">
          <Text fw={600} size="sm">
            Variant {variant.label}
          </Text>
          <Group gap={6}>
            <NumberInput
              size="xs"
              w={110}
              aria-label={`Share of variant ${variant.label}`}
              min={0}
              max={1000}
              prefix="Share "
              value={variant.weight ?? 1}
              onChange={(value) => onChange({ weight: Number(value) || 0 })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Remove variant ${variant.label}`}
              onClick={onRemove}
            >
              <IconTrash size={15} />
            </ActionIcon>
          </Group>
        </Group>
      )}
      {kind === 'email' && (
        <Select
          size="xs"
          aria-label="Template"
          placeholder="Written here"
          clearable
          data={templates
            .filter((each) => each.kind === 'template')
            .map((each) => ({ value: each.id, label: `Template: ${each.name}` }))}
          value={variant.template_id ?? null}
          onChange={(template_id) => onChange({ template_id })}
        />
      )}
      {!fromTemplate && kind === 'email' && !reply && (
        <TextInput
          size="sm"
          aria-label={`Subject of variant ${variant.label}`}
          placeholder="Subject"
          value={variant.subject ?? ''}
          onChange={(event) => onChange({ subject: event.currentTarget.value })}
        />
      )}
      {!fromTemplate && (
        <Textarea
          size="sm"
          aria-label={`Text of variant ${variant.label}`}
          placeholder={'Hello {{ contact.first_name | default: "there" }},'}
          autosize
          minRows={kind === 'email' ? 5 : 2}
          value={kind === 'email' ? asText(variant.html ?? '') : (variant.html ?? '')}
          onChange={(event) =>
            onChange({
              html: kind === 'email' ? asHtml(event.currentTarget.value) : event.currentTarget.value,
            })
          }
        />
      )}
    </div>
  );
}

type Props = {
  step: StepIn;
  place: number;
  last: number;
  onChange: (change: Partial<StepIn>) => void;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
};

function Conditions({ step, place, last, onChange }: Pick<Props, 'step' | 'place' | 'last' | 'onChange'>) {
  const condition = step.condition ?? { if: 'opened' as const, else_position: place + 1 };
  const set = (change: Partial<NonNullable<StepIn['condition']>>) =>
    onChange({ condition: { ...condition, ...change } });
  return (
    <Group gap="xs" align="end">
      <Select
        size="sm"
        label="Go on with the next step if"
        allowDeselect={false}
        data={CONDITIONS}
        value={condition.if}
        onChange={(value) =>
          set({
            if: (value ?? 'opened') as typeof condition.if,
            field: value === 'field' ? 'stage' : null,
            equals: null,
          })
        }
      />
      {condition.if === 'field' && (
        <>
          <TextInput
            size="sm"
            label="Field"
            value={condition.field ?? ''}
            onChange={(event) => set({ field: event.currentTarget.value })}
          />
          <TextInput
            size="sm"
            label="is"
            placeholder="anything"
            value={condition.equals ?? ''}
            onChange={(event) => set({ equals: event.currentTarget.value || null })}
          />
        </>
      )}
      <Select
        size="sm"
        label="otherwise go to"
        allowDeselect={false}
        data={Array.from({ length: last + 1 - place }, (_, index) => {
          const to = place + 1 + index;
          return { value: String(to), label: to > last ? 'the end' : `step ${to}` };
        })}
        value={String(condition.else_position)}
        onChange={(value) => set({ else_position: Number(value) })}
      />
    </Group>
  );
}

/** One step: what happens, how long after the one before, and what is said. */
export function StepCard({ step, place, last, onChange, onMove, onRemove }: Props) {
  const Icon = ICONS[step.kind];
  const variants = step.variants ?? [];
  const says = step.kind === 'email' || step.kind === 'sms';
  const letters = 'ABCDEFGHIJ';
  const setVariant = (index: number, change: Partial<VariantIn>) =>
    onChange({ variants: variants.map((each, at) => (at === index ? { ...each, ...change } : each)) });
  const label = `${KINDS[step.kind]}, ${waitWords(step)}`;
  return (
    <li className={classes.step} aria-label={`Step ${place}: ${label}`}>
      <header className={classes.stepHead}>
        <span className={classes.stepIcon} aria-hidden>
          <Icon size={16} stroke={1.8} />
        </span>
        <Text fw={600}>
          {place}. {KINDS[step.kind]}
        </Text>
        <Waits step={step} onChange={onChange} />
        <Text size="xs" className="muted" style={{ flex: 1 }}>
          {place === 1 ? 'after enrolment' : 'after the step before'}
        </Text>
        <ActionIcon
          variant="subtle"
          color="gray"
          disabled={place === 1}
          aria-label={`Step ${place} earlier`}
          onClick={() => onMove(-1)}
        >
          <IconArrowUp size={16} />
        </ActionIcon>
        <ActionIcon
          variant="subtle"
          color="gray"
          disabled={place === last}
          aria-label={`Step ${place} later`}
          onClick={() => onMove(1)}
        >
          <IconArrowDown size={16} />
        </ActionIcon>
        <ActionIcon variant="subtle" color="gray" aria-label={`Remove step ${place}`} onClick={onRemove}>
          <IconTrash size={16} />
        </ActionIcon>
      </header>
      {step.kind === 'email' && place > 1 && (
        <Switch
          size="xs"
          label="As an answer in the thread of the mail before"
          checked={step.thread === 'reply'}
          onChange={(event) => onChange({ thread: event.currentTarget.checked ? 'reply' : 'new' })}
        />
      )}
      {says &&
        variants.map((variant, index) => (
          <Variant
            key={variant.label}
            variant={variant}
            kind={step.kind}
            reply={step.thread === 'reply'}
            alone={variants.length === 1}
            onChange={(change) => setVariant(index, change)}
            onRemove={() => onChange({ variants: variants.filter((_, at) => at !== index) })}
          />
        ))}
      {says && variants.length < 5 && (
        <Button
          size="compact-xs"
          variant="subtle"
          style={{ justifySelf: 'start' }}
          onClick={() => {
            const free =
              [...letters].find((letter) => variants.every((each) => each.label !== letter)) ?? 'Z';
            onChange({ variants: [...variants, { label: free, weight: 1, subject: '', html: '' }] });
          }}
        >
          {variants.length === 0 ? 'Write it' : 'Try another wording beside it'}
        </Button>
      )}
      {(step.kind === 'call' || step.kind === 'task') && (
        <>
          <Textarea
            size="sm"
            aria-label={`What step ${place} is about`}
            placeholder={step.kind === 'call' ? 'What the call is about' : 'What is to be done'}
            autosize
            minRows={2}
            value={step.note ?? ''}
            onChange={(event) => onChange({ note: event.currentTarget.value })}
          />
          <Switch
            size="xs"
            label="Wait until it is done"
            checked={step.is_blocking ?? false}
            onChange={(event) => onChange({ is_blocking: event.currentTarget.checked })}
          />
        </>
      )}
      {step.kind === 'condition' && <Conditions step={step} place={place} last={last} onChange={onChange} />}
    </li>
  );
}
