import { type ComponentType, lazy } from 'react';

/** What letters lead to and what nobody needs to be signed in for, by address. */
export const PAGES: Record<string, ComponentType> = {
  '/forgot': lazy(() => import('./Forgot')),
  '/join': lazy(() => import('./Join')),
  '/reset': lazy(() => import('./Reset')),
  '/signup': lazy(() => import('./SignUp')),
  '/verify': lazy(() => import('./Verify')),
};
