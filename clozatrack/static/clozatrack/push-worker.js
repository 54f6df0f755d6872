// Shows a message that this service pushed, and opens its page when it is touched. Keeps nothing.
self.addEventListener("push", event => {
  const said = event.data ? event.data.json() : {};
  event.waitUntil(self.registration.showNotification(said.title || "Clozatrack", {
    body: said.body || "", tag: said.tag || undefined, renotify: Boolean(said.tag), data: { path: said.path || "/" },
  }));
});

self.addEventListener("notificationclick", event => {
  event.notification.close();
  const address = new URL(event.notification.data.path, self.location.origin);
  event.waitUntil(self.clients.openWindow(address.origin === self.location.origin ? address.href : "/"));
});
