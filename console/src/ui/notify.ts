import { notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { inWords } from '../api/errors';

export function notifyFailure(title: string, error: unknown): void {
  notifications.show({ title, message: inWords(error), color: 'red', role: 'alert' });
}

export function notifyDone(message: ReactNode, id?: string): void {
  notifications.show({ id, message, color: 'petrol', role: 'status', autoClose: id ? 10_000 : 4000 });
}
