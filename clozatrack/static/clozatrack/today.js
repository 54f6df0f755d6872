// Keeps the worklist up to date without losing anybody's place. Without this file the page is the same, as of its opening.
(() => {
  "use strict";
  const QUIET_AFTER_A_KEY = 10_000;
  const TOO_OLD = 90_000;
  const list = () => document.getElementById("worklist");
  const print = document.getElementById("print");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  if (!list()) return;

  const stale = document.getElementById("stale");
  const said = document.getElementById("said");
  let lastKey = 0;
  let place = null;
  let fresh = false;
  let shownFor = 0;
  let lookedAt = Date.now();
  const ours = (event) => event.detail.target && event.detail.target.id === "worklist";
  const choosing = () => !document.getSelection().isCollapsed;

  document.addEventListener("input", () => { lastKey = Date.now(); });
  setInterval(() => {
    if (!document.hidden) shownFor += Date.now() - lookedAt;
    lookedAt = Date.now();
    if (shownFor > TOO_OLD) stale.hidden = false;
  }, 5_000);
  document.addEventListener("visibilitychange", () => {
    lookedAt = Date.now();
    if (!document.hidden) window.htmx.trigger(list(), "refresh");
  });

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (!ours(event)) return;
    if (document.hidden || choosing() || Date.now() - lastKey < QUIET_AFTER_A_KEY) event.preventDefault();
  });

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (!ours(event)) return;
    if (event.detail.xhr.status !== 200 || !event.detail.xhr.responseText.includes('id="worklist"')) {
      event.detail.shouldSwap = false;
      stale.hidden = false;
      return;
    }
    fresh = true;
    const rows = [...document.querySelectorAll("#worklist .entry, #worklist section")];
    const top = rows.find((row) => row.getBoundingClientRect().bottom > 0 && row.id);
    place = top && { id: top.id, top: top.getBoundingClientRect().top, severe: Number(list().dataset.severe) };
  });

  document.body.addEventListener("htmx:afterSettle", () => {
    if (!fresh || !list()) return;
    fresh = false;
    shownFor = 0;
    stale.hidden = true;
    if (!place) return;
    const row = document.getElementById(place.id);
    if (row) window.scrollBy({ top: row.getBoundingClientRect().top - place.top, behavior: "instant" });
    if (Number(list().dataset.severe) > place.severe) said.textContent = "A severe alert has come. It stands at the top of the list.";
    place = null;
  });

  for (const failed of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.body.addEventListener(failed, () => { stale.hidden = false; });
  }
})();
