import { useEffect, useSyncExternalStore } from 'react';
import { useMe } from '../app/hooks';
import { softphone } from '../app/services';
import { useLastCall } from '../calls/queries';
import { isLive } from '../live/reduce/shared';
import { useLineChoice } from '../settings/voice';
import type { SoftphoneState } from './phone';

export function useSoftphoneState(): SoftphoneState {
  return useSyncExternalStore(softphone.subscribe, softphone.snapshot);
}

/** Keeps the browser's telephone registered while its owner has chosen it. */
export function useSoftphone(): SoftphoneState {
  const me = useMe();
  const choice = useLineChoice().data;
  const call = useLastCall().data;
  const wanted = choice?.in_use === 'softphone';
  softphone.expects = () => Boolean(call && isLive(call) && call.user_id === me.user.id);
  useEffect(() => {
    if (!wanted) return;
    void softphone.start();
    return () => softphone.stop();
  }, [wanted]);
  return useSoftphoneState();
}
