import { useSyncExternalStore } from 'react';

/** The draft that is open beside whatever room one is in. */
let open: string | null = null;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function openDraft(id: string | null): void {
  open = id;
  for (const listener of listeners) listener();
}

export function useOpenDraft(): string | null {
  return useSyncExternalStore(subscribe, () => open);
}
