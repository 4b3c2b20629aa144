/**
 * Something dangerous wants to know once more that it is really they: whoever asks waits until the person has confirmed, or
 * has thought better of it. What asks meanwhile waits with them.
 */
export class StepUp {
  private waiting: Promise<boolean> | null = null;
  private settle: ((confirmed: boolean) => void) | null = null;
  private listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Is somebody waiting? */
  snapshot = (): boolean => this.waiting !== null;

  /** Resolves to whether the person has confirmed. */
  ask = (): Promise<boolean> => {
    this.waiting ??= new Promise((resolve) => {
      this.settle = resolve;
    });
    this.tell();
    return this.waiting;
  };

  done(confirmed: boolean): void {
    this.settle?.(confirmed);
    this.waiting = null;
    this.settle = null;
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
