// Shows a message that this service pushed, and opens its page when it is touched. Keeps nothing, names nothing.
self.addEventListener("push", event => {
  const said = event.data ? event.data.json() : {};
  event.waitUntil(self.registration.showNotification(said.title || "A message", {
    body: said.body || "", tag: said.tag || undefined, renotify: Boolean(said.tag), data: { path: said.path || "" },
  }));
});

// A message that leads nowhere, such as a code, brings forward the page that waits for it. Where none is open, staff get
// their first page; patients and carers have none without a link, and staff's would tell them what this service is.
const bringForward = async () => {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const waits = pages.find(page => page.url.startsWith(self.registration.scope));
  if (waits) return waits.focus();
  return new URL(self.registration.scope).pathname === "/" ? self.clients.openWindow("/") : undefined;
};

self.addEventListener("notificationclick", event => {
  event.notification.close();
  const { path } = event.notification.data;
  const address = new URL(path || "/", self.location.origin);
  event.waitUntil(path && address.origin === self.location.origin ? self.clients.openWindow(address.href) : bringForward());
});
