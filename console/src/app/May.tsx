import type { ReactNode } from 'react';
import { useMay } from './hooks';

/** What only those see whose role has a permission. */
export function May({ do: permission, children }: { do: string; children: ReactNode }) {
  return useMay()(permission) ? children : null;
}
