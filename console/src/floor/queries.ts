import { useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { Floor } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher } from '../app/services';
import { learnClock } from '../ui/time';

/** The start of today here, or of the day some days later. */
function midnight(days: number): Date {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
}

/** The floor: a snapshot with its place in the log, and from then on the events after it. */
export function useFloor() {
  const polling = usePolling(5000);
  return useQuery({
    queryKey: keys.floor(),
    queryFn: dispatcher.current(
      async ({ signal }): Promise<Floor> => {
        const query = { since: midnight(0).toISOString() };
        const floor = (await unwrap(api.GET('/api/v1/floor', { params: { query }, signal }))) as Floor;
        learnClock(floor.at);
        return floor;
      },
      (floor) => floor,
    ),
    // A new day begins without an event.
    refetchInterval: polling || midnight(1).getTime() - Date.now() + 500,
  });
}
