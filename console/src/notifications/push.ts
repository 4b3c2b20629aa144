import type { components } from '../api/schema';

export type DeviceIn = components['schemas']['DeviceIn'];

/** Why this browser takes no pushes, or that it could, or does. */
export type PushState = 'unsupported' | 'insecure' | 'needs_install' | 'denied' | 'off' | 'on';

function isIos(): boolean {
  return /iPhone|iPad|iPod/.test(navigator.userAgent);
}

function isInstalled(): boolean {
  return matchMedia('(display-mode: standalone)').matches;
}

/** What this browser can do, and whether it is subscribed. */
export async function pushState(): Promise<PushState> {
  if (!window.isSecureContext) return 'insecure';
  const able = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;
  // On iPhones only an app on the home screen may take pushes.
  if (!able) return isIos() && !isInstalled() ? 'needs_install' : 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  return (await currentSubscription()) && Notification.permission === 'granted' ? 'on' : 'off';
}

/** The worker that shows pushes; null where there can be none. */
export async function registerWorker(): Promise<ServiceWorkerRegistration | null> {
  if (!window.isSecureContext || !('serviceWorker' in navigator)) return null;
  return navigator.serviceWorker.register('/sw.js');
}

async function currentSubscription(): Promise<PushSubscription | null> {
  const known = await navigator.serviceWorker.getRegistration('/');
  return known ? known.pushManager.getSubscription() : null;
}

function sameKey(a: ArrayBuffer | null, b: Uint8Array): boolean {
  if (!a || a.byteLength !== b.byteLength) return false;
  const bytes = new Uint8Array(a);
  return b.every((byte, index) => bytes[index] === byte);
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const padded = text
    .replace(/-/g, '+')
    .replace(/_/g, '/')
    .padEnd(Math.ceil(text.length / 4) * 4, '=');
  return Uint8Array.from(atob(padded), (sign) => sign.charCodeAt(0));
}

/** Asks the person and the browser; what the server is told. Throws an Error in words when one of them refuses. */
export async function subscribe(key: string): Promise<DeviceIn> {
  const registration = await registerWorker();
  if (!registration) throw new Error('This browser can show no notifications.');
  if ((await Notification.requestPermission()) !== 'granted') {
    throw new Error('The browser does not allow it. Allow notifications for this site in its settings.');
  }
  const active = await navigator.serviceWorker.ready;
  const wanted = fromBase64url(key);
  const known = await active.pushManager.getSubscription();
  // One that was made for another key can't be used by this server.
  if (known && !sameKey(known.options.applicationServerKey, wanted)) await known.unsubscribe();
  try {
    const made = await active.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: wanted });
    return described(made);
  } catch {
    throw new Error('The browser’s push service can’t be reached. Try again, or use another browser.');
  }
}

/** What the server is told of the subscription there is; null where there is none. */
export async function knownSubscription(): Promise<DeviceIn | null> {
  if ((await pushState()) !== 'on') return null;
  const known = await currentSubscription();
  return known ? described(known) : null;
}

/** This browser takes no more pushes. */
export async function unsubscribe(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  await (await currentSubscription())?.unsubscribe();
}

/** Takes back what this device still shows of what was read elsewhere. */
export async function closeShown(isRead: (id: string) => boolean): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const known = await navigator.serviceWorker.getRegistration('/');
  for (const shown of (await known?.getNotifications()) ?? []) {
    if (shown.tag && isRead(shown.tag)) shown.close();
  }
}

function described(subscription: PushSubscription): DeviceIn {
  const { endpoint, keys } = subscription.toJSON();
  return {
    endpoint: endpoint ?? '',
    p256dh: keys?.p256dh ?? '',
    auth: keys?.auth ?? '',
    device: deviceName(),
  };
}

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'Mac'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** "Chrome on Android": how people tell their devices apart. */
export function deviceName(agent = navigator.userAgent): string {
  const named = (list: [RegExp, string][], otherwise: string) =>
    list.find(([sign]) => sign.test(agent))?.[1] ?? otherwise;
  return `${named(BROWSERS, 'A browser')} on ${named(SYSTEMS, 'this device')}`;
}
