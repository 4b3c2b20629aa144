import { useSyncExternalStore } from 'react';

/** Difference between the server's clock and this device's, so that timers agree on every screen. */
let offsetMs = 0;

/** Learns the server's clock from a moment it just named. */
export function learnClock(serverAt: string): void {
  const offset = Date.parse(serverAt) - Date.now();
  // A second is within what the network takes.
  offsetMs = Math.abs(offset) > 1500 ? offset : 0;
}

export function serverNow(): number {
  return Date.now() + offsetMs;
}

const listeners = new Set<() => void>();
let second = Math.floor(Date.now() / 1000);
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    second = Math.floor(Date.now() / 1000);
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Re-renders every second, all timers at once. */
export function useSecond(): number {
  return useSyncExternalStore(subscribe, () => second);
}

/** 65 -> "1:05", 3700 -> "1:01:40". */
export function clock(totalS: number): string {
  const s = Math.max(0, Math.floor(totalS));
  const parts = [Math.floor(s / 3600), Math.floor((s % 3600) / 60), s % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** 65 -> "1 min", 3700 -> "1 h 1 min". */
export function span(totalS: number): string {
  const s = Math.max(0, Math.floor(totalS));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  const minutes = Math.floor((s % 3600) / 60);
  return minutes ? `${Math.floor(s / 3600)} h ${minutes} min` : `${Math.floor(s / 3600)} h`;
}

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const YEAR = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const HOUR = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const MINUTE = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

export function moment(at: string): string {
  return MOMENT.format(new Date(at));
}

export function timeOfDay(at: string): string {
  return HOUR.format(new Date(at));
}

/** "14:05", without what nobody reads in a stream: the seconds. */
export function minuteOfDay(at: string): string {
  return MINUTE.format(new Date(at));
}

/** "2 h late", "in 20 min", "tomorrow, 09:00", "12 Mar". */
export function dueWords(at: string): string {
  const then = new Date(at);
  const s = (then.getTime() - serverNow()) / 1000;
  if (s < -86_400 || s > 7 * 86_400) return DAY.format(then);
  if (s < -60) return `${span(-s)} ago`;
  if (s < 60) return 'now';
  if (s < 6 * 3600) return `in ${span(s)}`;
  return WEEKDAY.format(then);
}

/** "just now", "4 min ago", "3 h ago", "12 Mar", "12 Mar 2024". */
export function ago(at: string): string {
  const then = new Date(at);
  const s = (serverNow() - then.getTime()) / 1000;
  if (s < 45) return 'just now';
  if (s < 3600) return `${Math.max(1, Math.round(s / 60))} min ago`;
  if (s < 86_400) return `${Math.round(s / 3600)} h ago`;
  const thisYear = then.getFullYear() === new Date(serverNow()).getFullYear();
  return (thisYear ? DAY : YEAR).format(then);
}

/** The day that it is in a time zone, as "2026-03-08". */
export function dayIn(zone: string, at: number = serverNow()): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(new Date(at));
}
