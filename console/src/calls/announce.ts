import type { Call } from '../api/types';
import { dispatcher } from '../app/services';
import type { Change } from '../live/events';
import type { Cursor } from '../live/log';

type Kind = 'call.updated' | 'call.state_changed' | 'call.disposition_set';

/**
 * What a mutation of a call does with its answer: show it, unless an event about the call arrived after the request began.
 * That event may be newer than the answer, and the answer's own event comes as well.
 */
export function announcing(type: Kind) {
  return {
    onMutate: () => dispatcher.mark(),
    onSuccess: (call: Call, _given: unknown, began: Cursor | null) => {
      const isHeard = dispatcher
        .since(began)
        .some((event) => 'call' in event.data && event.data.call.id === call.id);
      if (!isHeard) dispatcher.apply({ type, data: { call } } as Change);
    },
  };
}
