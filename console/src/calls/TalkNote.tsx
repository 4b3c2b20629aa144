import { Textarea } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import type { Call } from '../api/types';
import { attempt } from '../ui/notify';
import { useSaveNote } from './controls';

/** Notes while talking: saved by themselves a moment after the last key. */
export function TalkNote({ call }: { call: Call }) {
  const [note, setNote] = useState(call.note);
  const save = useSaveNote();
  const later = useDebouncedCallback(
    (text: string) => attempt(save.mutateAsync({ id: call.id, note: text }), 'The note is not saved yet'),
    { delay: 600, flushOnUnmount: true },
  );
  return (
    <Textarea
      aria-label="Note of this call"
      placeholder="Notes while talking are saved by themselves"
      autosize
      minRows={1}
      maxRows={4}
      value={note}
      onChange={(event) => {
        setNote(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
    />
  );
}
