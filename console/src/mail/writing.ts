import { useEffect, useState } from 'react';
import { unwrap } from '../api/client';
import { ApiError } from '../api/errors';
import { api } from '../app/services';

const BEAT_MS = 4000;

type Claimed = { by?: { name?: string }; user?: { name?: string }; claimed_by?: { name?: string } };

function nameIn(error: unknown): string | null {
  if (!(error instanceof ApiError) || error.status !== 409) return null;
  const details = error.details as Claimed | undefined;
  return details?.claimed_by?.name ?? details?.by?.name ?? details?.user?.name ?? 'A colleague';
}

/** Says, as long as it is on the screen, that one is writing in a thread; the name of whoever else is. */
export function useWriting(threadId: string | null): string | null {
  const [claimed, setClaimed] = useState<string | null>(null);
  useEffect(() => {
    if (!threadId) return;
    const path = { params: { path: { id: threadId } } };
    const beat = () =>
      unwrap(api.POST('/api/v1/mail/threads/{id}/writing', path)).then(
        () => setClaimed(null),
        (error) => setClaimed(nameIn(error)),
      );
    void beat();
    const timer = setInterval(beat, BEAT_MS);
    return () => {
      clearInterval(timer);
      void api.DELETE('/api/v1/mail/threads/{id}/writing', path);
    };
  }, [threadId]);
  return claimed;
}
