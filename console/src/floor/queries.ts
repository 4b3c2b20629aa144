import { useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { Floor } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher } from '../app/services';
import { learnClock } from '../ui/time';

/** The floor: a snapshot with its place in the log, and from then on the events after it. */
export function useFloor() {
  return useQuery({
    queryKey: keys.floor(),
    queryFn: dispatcher.current(
      async ({ signal }): Promise<Floor> => {
        const floor = await unwrap(api.GET('/api/v1/floor', { signal }));
        learnClock(floor.at);
        return floor;
      },
      (floor) => floor,
    ),
    refetchInterval: usePolling(5000),
  });
}
