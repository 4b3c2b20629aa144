import { Button, Select, Text, Textarea } from '@mantine/core';
import { getHotkeyHandler } from '@mantine/hooks';
import { useRef, useState } from 'react';
import type { Call, DispositionValue } from '../api/types';
import { useHotkeys } from '../ui/hotkeys';
import { attempt } from '../ui/notify';
import { clock, serverNow, useSecond } from '../ui/time';
import classes from './CallBar.module.css';
import { useExtendWrapUp, useMyPerson, useSetPresence } from './presence';
import { useDispositions, useSetDisposition } from './queries';

/** What usually fits how the call ended, chosen beforehand. */
const LIKELY: Partial<Record<NonNullable<Call['outcome']>, DispositionValue>> = {
  busy: 'busy',
  no_answer: 'no_answer',
  voicemail: 'left_voicemail',
};

/** When to call back. */
const LATER = [
  { value: 'quarter', label: 'In 15 minutes', at: () => new Date(Date.now() + 900_000) },
  { value: 'hour', label: 'In an hour', at: () => new Date(Date.now() + 3_600_000) },
  { value: 'tomorrow', label: 'Tomorrow at 9', at: () => nineIn(1) },
  { value: 'week', label: 'In a week, at 9', at: () => nineIn(7) },
];

function nineIn(days: number): Date {
  const at = new Date();
  at.setDate(at.getDate() + days);
  at.setHours(9, 0, 0, 0);
  return at;
}

/** How long the wrap-up still lasts, and a way to have more of it. */
function TimeLeft({ until }: { until: string }) {
  useSecond();
  const extend = useExtendWrapUp();
  const left = (Date.parse(until) - serverNow()) / 1000;
  return (
    <Text size="xs" className="muted tabular">
      Ends by itself in {clock(left)}{' '}
      <Button
        size="compact-xs"
        variant="subtle"
        loading={extend.isPending}
        onClick={() => attempt(extend.mutateAsync(60), 'The wrap-up was not extended')}
      >
        A minute more
      </Button>
    </Text>
  );
}

/** After the call: how it went, a note, and on to the next. Keys 1 to 8 choose, N goes to the note. */
export function WrapUp({ call, onDone }: { call: Call; onDone: () => void }) {
  const dispositions = useDispositions().data ?? [];
  const [chosen, setChosen] = useState<DispositionValue | null>(
    (call.outcome && LIKELY[call.outcome]) ?? null,
  );
  const [note, setNote] = useState(call.note);
  const field = useRef<HTMLTextAreaElement>(null);
  const save = useSetDisposition();
  const presence = useSetPresence();
  const person = useMyPerson();
  const inWrapUp = person?.state === 'wrap_up';
  const [back, setBack] = useState('hour');
  const wanted = dispositions.find((each) => each.value === chosen)?.follow_up === 'callback';

  const skip = () => {
    if (inWrapUp) attempt(presence.mutateAsync('online'), 'You are still in wrap-up');
    onDone();
  };
  // The disposition ends the wrap-up by itself.
  const submit = () => {
    if (!chosen || save.isPending) return;
    const later =
      wanted &&
      LATER.find((each) => each.value === back)
        ?.at()
        .toISOString();
    const disposition = { id: call.id, disposition: chosen, note, ...(later ? { callback_at: later } : {}) };
    attempt(save.mutateAsync(disposition), 'The disposition could not be saved', onDone);
  };
  useHotkeys([
    ...dispositions.flatMap((each): [string, () => void][] =>
      each.key ? [[each.key, () => setChosen(each.value)]] : [],
    ),
    ['mod+Enter', submit],
    ['n', () => field.current?.focus()],
  ]);

  return (
    <div className={classes.wrap}>
      <div className={classes.choices} role="radiogroup" aria-label="Disposition">
        {dispositions.map((each) => (
          <button
            key={each.value}
            type="button"
            role="radio"
            aria-checked={chosen === each.value}
            aria-label={each.label}
            className={classes.choice}
            onClick={() => setChosen(each.value)}
          >
            {each.key && <kbd aria-hidden>{each.key.toUpperCase()}</kbd>}
            {each.label}
          </button>
        ))}
      </div>
      <div className={classes.finish}>
        <Textarea
          ref={field}
          aria-label="Call note"
          placeholder="What was said, what comes next"
          autosize
          minRows={1}
          maxRows={5}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          onKeyDown={getHotkeyHandler([['mod+Enter', submit]])}
        />
        {wanted && (
          <Select
            aria-label="Call back"
            w={150}
            allowDeselect={false}
            data={LATER.map(({ value, label }) => ({ value, label }))}
            value={back}
            onChange={(value) => setBack(value ?? 'hour')}
          />
        )}
        <Button variant="subtle" color="gray" onClick={skip}>
          Skip
        </Button>
        <Button onClick={submit} disabled={!chosen} loading={save.isPending}>
          Done
        </Button>
      </div>
      {inWrapUp && person?.until && <TimeLeft until={person.until} />}
      {!chosen && (
        <Text size="xs" className="muted">
          Choose how it went to finish the wrap-up.
        </Text>
      )}
    </div>
  );
}
