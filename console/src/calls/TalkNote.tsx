import { Textarea } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useRef, useState } from 'react';
import type { Call } from '../api/types';
import { useHotkeys } from '../ui/hotkeys';
import { attempt } from '../ui/notify';
import { useSaveNote } from './controls';

/** Notes while talking: saved by themselves a moment after the last key. N goes there, Escape leaves. */
export function TalkNote({ call }: { call: Call }) {
  const [note, setNote] = useState(call.note);
  const field = useRef<HTMLTextAreaElement>(null);
  useHotkeys([['n', () => field.current?.focus()]]);
  const save = useSaveNote();
  const later = useDebouncedCallback(
    (text: string) => attempt(save.mutateAsync({ id: call.id, note: text }), 'The note is not saved yet'),
    { delay: 600, flushOnUnmount: true },
  );
  return (
    <Textarea
      ref={field}
      aria-label="Note of this call"
      placeholder="Notes while talking are saved by themselves"
      autosize
      minRows={1}
      maxRows={4}
      value={note}
      onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      onChange={(event) => {
        setNote(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
    />
  );
}
