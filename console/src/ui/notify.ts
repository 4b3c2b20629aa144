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
