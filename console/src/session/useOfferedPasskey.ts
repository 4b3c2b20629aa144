import { useCallback, useEffect, useRef } from 'react';
import { session } from '../app/services';
import { canOfferPasskeys, signWithPasskey } from './passkeys';

/** A challenge that nobody signs runs out; the offer is made anew before that. */
const RENEW_MS = 4 * 60_000;

type Offer = { onSigned: (work: () => Promise<void>) => void };

/**
 * Offers passkeys among what the browser would fill in as the email (WebAuthn's conditional mediation). What comes back takes the
 * offer away: a browser asks for one passkey at a time.
 */
export function useOfferedPasskey({ onSigned }: Offer): () => void {
  const signed = useRef(onSigned);
  signed.current = onSigned;
  const offer = useRef<AbortController | null>(null);
  const takeAway = useCallback(() => {
    offer.current?.abort();
    offer.current = null;
  }, []);

  useEffect(() => {
    let gone = false;
    const make = async () => {
      if (!(await canOfferPasskeys()) || gone) return;
      offer.current?.abort();
      const mine = new AbortController();
      offer.current = mine;
      try {
        const { token, options } = await session.askForPasskey();
        if (mine.signal.aborted) return;
        const credential = await signWithPasskey(options, mine.signal);
        signed.current(() => session.loginWithPasskey(token, credential));
      } catch {
        // Nobody asked for it, so that nobody is told when it cannot be had: the button says what is wrong.
      }
    };
    void make();
    const timer = setInterval(() => offer.current && void make(), RENEW_MS);
    return () => {
      gone = true;
      clearInterval(timer);
      takeAway();
    };
  }, [takeAway]);
  return takeAway;
}
