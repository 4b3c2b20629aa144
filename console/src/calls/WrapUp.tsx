import { Button, Text, Textarea } from '@mantine/core';
import { getHotkeyHandler, useHotkeys } from '@mantine/hooks';
import { useRef, useState } from 'react';
import type { Call, DispositionValue } from '../api/types';
import { attempt } from '../ui/notify';
import classes from './CallBar.module.css';
import { useMyPerson, useSetPresence } from './presence';
import { useDispositions, useSetDisposition } from './queries';

/** What usually fits how the call ended, chosen beforehand. */
const LIKELY: Partial<Record<NonNullable<Call['outcome']>, DispositionValue>> = {
  busy: 'busy',
  no_answer: 'no_answer',
  voicemail: 'left_voicemail',
};

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
  const inWrapUp = useMyPerson()?.state === 'wrap_up';

  const skip = () => {
    if (inWrapUp) attempt(presence.mutateAsync('online'), 'You are still in wrap-up');
    onDone();
  };
  // The disposition ends the wrap-up by itself.
  const submit = () => {
    if (!chosen || save.isPending) return;
    const disposition = { id: call.id, disposition: chosen, note };
    attempt(save.mutateAsync(disposition), 'The disposition could not be saved', onDone);
  };
  useHotkeys([
    ...dispositions
      .slice(0, 9)
      .map((each, index): [string, () => void] => [`${index + 1}`, () => setChosen(each.value)]),
    ['mod+Enter', submit],
    ['n', () => field.current?.focus()],
  ]);

  return (
    <div className={classes.wrap}>
      <div className={classes.choices} role="radiogroup" aria-label="Disposition">
        {dispositions.map((each, index) => (
          <button
            key={each.value}
            type="button"
            role="radio"
            aria-checked={chosen === each.value}
            aria-label={each.label}
            className={classes.choice}
            onClick={() => setChosen(each.value)}
          >
            <kbd aria-hidden>{index + 1}</kbd>
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
        <Button variant="subtle" color="gray" onClick={skip}>
          Skip
        </Button>
        <Button onClick={submit} disabled={!chosen} loading={save.isPending}>
          Done
        </Button>
      </div>
      {!chosen && (
        <Text size="xs" className="muted">
          Choose how it went to finish the wrap-up.
        </Text>
      )}
    </div>
  );
}
