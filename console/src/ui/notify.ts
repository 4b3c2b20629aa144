import { notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { inWords } from '../api/errors';

export function notifyFailure(title: string, error: unknown): void {
  notifications.show({ title, message: inWords(error), color: 'red', role: 'alert' });
}

/**
 * Says so when `work` fails, and goes on with its result otherwise. Unlike the callbacks of a mutation it still does
 * when what started the work has left the screen.
 */
export function attempt<T>(work: Promise<T>, failure: string, then?: (result: T) => void): void {
  work.then(then, (error) => notifyFailure(failure, error));
}

export function notifyDone(message: ReactNode, id?: string): void {
  notifications.show({ id, message, color: 'petrol', role: 'status', autoClose: id ? 10_000 : 4000 });
}

/** Says, once however many requests wait, that the server asked for a pause and the work goes on by itself. */
export function sayWaiting(seconds: number): void {
  const message = `That was much at once. Going on by itself in ${Math.ceil(seconds)} s.`;
  notifications.hide('waiting');
  notifications.show({ id: 'waiting', message, color: 'petrol', role: 'status', autoClose: seconds * 1000 });
}
