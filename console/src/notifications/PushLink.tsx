import { useEffect } from 'react';
import { useNavigate } from 'react-router';
import { useMe } from '../app/hooks';
import { queryClient } from '../app/services';
import { knownSubscription, registerWorker } from './push';
import { enterDevice, readOne } from './queries';
import { deviceOf } from './remembered';

type Told = { kind: 'push_opened'; id: string | null; url: string } | { kind: 'push_changed' };

/** Keeps this browser entered while its person wants pushes here, and follows where a push leads. */
export function PushLink() {
  const { tenant, user } = useMe();
  const navigate = useNavigate();
  const person = `${tenant.id}/${user.id}`;
  useEffect(() => {
    // A new sign-in, or another address of the browser, is entered without asking again.
    const enter = async () => {
      if (!deviceOf(person)) return;
      const known = await knownSubscription();
      if (known) await enterDevice(person, known);
    };
    // Without a worker there are no pushes, and nothing else is missing.
    registerWorker()
      .then(enter)
      .catch(() => undefined);
    const onMessage = (event: MessageEvent<Told>) => {
      if (event.data?.kind === 'push_changed') enter().catch(() => undefined);
      if (event.data?.kind !== 'push_opened') return;
      navigate(event.data.url);
      if (!event.data.id) return;
      readOne(event.data.id).then(
        () => queryClient.invalidateQueries({ queryKey: ['notifications'] }),
        () => undefined,
      );
    };
    navigator.serviceWorker?.addEventListener('message', onMessage);
    return () => navigator.serviceWorker?.removeEventListener('message', onMessage);
  }, [person, navigate]);
  return null;
}
