import { QueryClient } from '@tanstack/react-query';
import { createApi, unwrap } from '../api/client';
import { ApiError } from '../api/errors';
import { Dispatcher } from '../live/dispatcher';
import { LiveLink } from '../live/link';
import { EventLog } from '../live/log';
import { StatusStore } from '../live/status';
import { Session } from '../session/session';
import { StepUp } from '../session/stepUp';
import { Softphone } from '../softphone/phone';
import { sayWaiting } from '../ui/notify';

/** The console's composition root: every long-lived object, made once. */
export const session = new Session();
export const stepUp = new StepUp();
export const api = createApi(session, sayWaiting, stepUp.ask);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Events keep what is cached fresh; a mounted page reads again only what was marked stale.
      staleTime: 30_000,
      retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 2,
    },
  },
});

const log = new EventLog();
export const linkStatus = new StatusStore();
export const dispatcher = new Dispatcher(queryClient, log);
export const softphone = new Softphone(async () => (await unwrap(api.POST('/api/v1/voice/token'))).token);
export const link = new LiveLink(session, log, dispatcher, linkStatus);
