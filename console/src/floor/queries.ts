import { useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { Floor } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher } from '../app/services';
import { learnClock } from '../ui/time';
import { untilNextDay } from './day';

/** The floor: a snapshot with its place in the log, and from then on the events after it. */
export function useFloor() {
  const polling = usePolling(5000);
  return useQuery<Floor>({
    queryKey: keys.floor(),
    queryFn: dispatcher.current(
      async ({ signal }): Promise<Floor> => {
        // The day is the company's, wherever one looks at it from.
        const floor = (await unwrap(api.GET('/api/v1/floor', { signal }))) as Floor;
        learnClock(floor.at);
        return floor;
      },
      (floor) => floor,
    ),
    // A new day begins without an event.
    refetchInterval: polling || ((query) => untilNextDay(query.state.data?.today.since, Date.now())),
  });
}
