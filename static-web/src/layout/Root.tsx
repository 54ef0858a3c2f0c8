import { Outlet } from '@tanstack/react-router';
import { useSyncExternalStore } from 'react';
import { onSessionChange, sessionMark } from '~/api/session';
import { Shell } from './Shell';
import { SignIn } from './SignIn';

/** Without a key there is one page: the one that asks for it. The address stays, so signing in leads to where one wanted to go. */
export function Root() {
  const key = useSyncExternalStore(onSessionChange, sessionMark);
  if (key === null) return <SignIn />;
  return <Shell><Outlet /></Shell>;
}
