// Asks this browser whether it may show messages, and posts what it answers with the form that asked. One script for
// staff and for patients: the form says below which addresses its messages open, and has every word that is shown.
const form = document.querySelector("form[data-push]");
const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), one => one.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const named = () => {
  const agent = navigator.userAgent;
  const name = ["Firefox", "Edg", "Chrome", "Safari"].find(one => agent.includes(one)) || "Browser";
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find(one => agent.includes(one)) || "a computer";
  return `${name.replace("Edg", "Edge")} on ${system}`;
};

// Not navigator.serviceWorker.ready: that may be the worker of the other form, whose addresses hold these.
const active = registration => new Promise((done, failed) => {
  if (registration.active) return done();
  const worker = registration.installing || registration.waiting;
  worker.addEventListener("statechange", () => {
    if (worker.state === "activated") done();
    if (worker.state === "redundant") failed(new Error("the worker did not start"));
  });
});

const subscribe = async () => {
  const registration = await navigator.serviceWorker.register("/push-worker.js", { scope: form.dataset.scope });
  await active(registration);
  const old = await registration.pushManager.getSubscription();
  if (old) await old.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.key) });
};

if (form) {
  const said = form.querySelector("[role=status]");
  let asking = false;
  if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
    form.querySelector("button").hidden = false;
    said.textContent = "";
  }
  form.addEventListener("submit", async event => {
    if (form.elements.endpoint.value) return;
    event.preventDefault();
    if (asking) return;
    asking = true;
    said.textContent = form.dataset.asking;
    try {
      if (await Notification.requestPermission() === "granted") {
        const found = await subscribe();
        form.elements.endpoint.value = found.endpoint;
        form.elements.p256dh.value = text(found.getKey("p256dh"));
        form.elements.auth.value = text(found.getKey("auth"));
        if (form.elements.label) form.elements.label.value = named();
        form.submit();
      } else {
        said.textContent = form.dataset.refused;
      }
    } catch {
      said.textContent = form.dataset.failed;
    }
    asking = false;
  });
}
