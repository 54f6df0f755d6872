// Asks this browser whether it may show messages, and posts what it says to the form that is there.
const form = document.getElementById("browser");
const said = document.getElementById("browser-says");
const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), one => one.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const named = () => {
  const agent = navigator.userAgent;
  const name = ["Firefox", "Edg", "Chrome", "Safari"].find(one => agent.includes(one)) || "Browser";
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find(one => agent.includes(one)) || "a computer";
  return `${name.replace("Edg", "Edge")} on ${system}`;
};

const subscribe = async () => {
  if (await Notification.requestPermission() !== "granted") {
    throw new Error("This browser does not allow messages from this address. Allow them in its settings for this page.");
  }
  const worker = await navigator.serviceWorker.register("/push-worker.js", { scope: "/" });
  await navigator.serviceWorker.ready;
  const old = await worker.pushManager.getSubscription();
  if (old) await old.unsubscribe();
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.key) });
};

if (form) {
  const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (!able) said.textContent = "This browser cannot show messages.";
  form.querySelector("button").hidden = !able;
  form.addEventListener("submit", async event => {
    if (form.elements.endpoint.value) return;
    event.preventDefault();
    said.textContent = "Asking the browser…";
    try {
      const found = await subscribe();
      form.elements.endpoint.value = found.endpoint;
      form.elements.p256dh.value = text(found.getKey("p256dh"));
      form.elements.auth.value = text(found.getKey("auth"));
      form.elements.label.value = named();
      form.submit();
    } catch (error) {
      said.textContent = error.message || "The browser refused.";
    }
  });
}
