// Ringside's service worker: shows pushes, and brings their person to what they are about. It keeps no pages.

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  const said = read(event.data);
  event.waitUntil(
    self.registration.showNotification(said.title, {
      tag: said.id || 'ringside',
      icon: '/icon.svg',
      badge: '/icon.svg',
      data: said,
    }),
  );
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data));
});

// The browser has given itself another address. Whoever is signed in tells the server as soon as a console is open.
self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(tell({ kind: 'push_changed' }));
});

function read(data) {
  let said = {};
  try {
    said = data.json();
  } catch {
    // A push that can't be read still has to show something.
  }
  const url =
    typeof said.url === 'string' && said.url.startsWith('/') && !said.url.startsWith('//') ? said.url : '/';
  return { id: said.id || null, title: said.title || 'There is something new in Ringside', url };
}

async function consoles() {
  return self.clients.matchAll({ type: 'window', includeUncontrolled: true });
}

async function tell(message) {
  for (const each of await consoles()) each.postMessage(message);
}

async function open(said) {
  const [shown] = await consoles();
  if (!shown) return self.clients.openWindow(said.url);
  shown.postMessage({ kind: 'push_opened', id: said.id, url: said.url });
  return shown.focus();
}
