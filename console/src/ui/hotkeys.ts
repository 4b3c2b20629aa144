import { getHotkeyHandler, type HotkeyItem } from '@mantine/hooks';
import { useEffectEvent, useLayoutEffect } from 'react';

/**
 * Keys for the whole page, but not while somebody types. They work from the moment in which what they are for is on the
 * screen: Mantine's own come a little later, and a key that is pressed before is lost.
 */
export function useHotkeys(keys: HotkeyItem[], except: string[] = ['INPUT', 'TEXTAREA', 'SELECT']): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    const { target } = event;
    if (target instanceof HTMLElement && (target.isContentEditable || except.includes(target.tagName)))
      return;
    getHotkeyHandler(keys)(event);
  });
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => pressed(event);
    document.documentElement.addEventListener('keydown', listen);
    return () => document.documentElement.removeEventListener('keydown', listen);
  }, []);
}
