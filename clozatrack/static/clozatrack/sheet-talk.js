// What the sheet asks of the service, and the alarm: it stands until just that which failed has come through.
"use strict";

const sheetTalk = (sheet, alarm, stillThere) => {
  const LOOKING_UP = "looking up";
  const PATIENCE = 15000;
  const [SIGNED_OUT, NO_ANSWER, WORKS_AGAIN] = [401, 0, -1];
  // A row, or the address of something else, with the status that came back and how many were asked by then.
  const failed = new Map();
  let asked = 0;

  // The token is read anew each time: signing in again in another tab changes it.
  function token() {
    const kept = document.cookie.split("; ").find(one => one.startsWith("csrftoken="));
    return kept ? kept.slice("csrftoken=".length) : sheet.querySelector("[name=csrfmiddlewaretoken]").value;
  }

  // What the service answered and how it calls the row; null when it refused, was silent for too long, or broke off.
  async function ask(address, fields, row) {
    const options = fields ? { method: "POST", body: fields, headers: { "X-CSRFToken": token() } } : {};
    const turn = ++asked;
    let answer = null;
    let status = NO_ANSWER;
    try {
      const reply = await fetch(address, { ...options, signal: AbortSignal.timeout?.(PATIENCE) });
      answer = { ok: reply.ok, text: await reply.text(), became: reply.headers.get("X-Row") };
      status = reply.status;
    } catch {
      // No answer, or half of one: told below.
    }
    const what = row ?? (fields ? address : LOOKING_UP);
    if (answer?.ok) came(what, turn);
    else failed.set(what, { status: status === 403 ? SIGNED_OUT : status, asked, unsure: unsure(what, fields, status) });
    tell();
    return answer?.ok ? answer : null;
  }

  // A row that was sent to be saved may have been saved, and only the answer was lost. Only an answer of the service says it was not.
  const unsure = (what, fields, status) => Boolean(failed.get(what)?.unsure || (fields?.has("save") && (status === NO_ANSWER || status >= 500)));

  // What came through, asked after the failure, mends itself alone: a row that was lost is still not saved, but its reason is over.
  function came(through, turn) {
    for (const [what, failure] of failed) {
      if (turn <= failure.asked) continue;
      if (what === through || what === LOOKING_UP) failed.delete(what);
      else if (failure.status === SIGNED_OUT || failure.status === NO_ANSWER) failure.status = WORKS_AGAIN;
    }
  }

  function tell() {
    for (const what of failed.keys()) if (what instanceof Element && !stillThere(what)) failed.delete(what);
    for (const row of sheet.querySelectorAll(".entry")) told(row, failed.get(row));
    const statuses = [...failed.values()].map(failure => failure.status);
    const rows = [...failed.keys()].filter(what => what instanceof Element);
    if (statuses.includes(SIGNED_OUT)) warnSignedOut();
    else if (!statuses.length) warn("");
    else warn(`${reason(statuses)}: ${unsaved(rows)}, and nothing that you typed is lost.${rows.length ? " Press Enter there again." : ""}`);
  }

  function reason(statuses) {
    const status = statuses.find(one => one > 0);
    if (status) return `The service answered ${status}`;
    return statuses.includes(NO_ANSWER) ? "No connection" : "It works again";
  }

  const named = row => { const number = row.dataset.number; return `${number} (${row.querySelector(`[name="${number}-who"]`).value.trim() || "no patient yet"})`; };
  const listed = (rows, one, many) => (!rows.length ? [] : [`${rows.length === 1 ? "row" : "rows"} ${rows.map(named).join(", ")} ${rows.length === 1 ? one : many}`]);

  function unsaved(rows) {
    const perhaps = rows.filter(row => failed.get(row).unsure);
    const surely = rows.filter(row => !failed.get(row).unsure);
    return [...listed(perhaps, "may not be saved", "may not be saved"), ...listed(surely, "is not saved", "are not saved")].join(", ") || "nothing was saved just now";
  }

  // The row says so itself, for whoever has scrolled on or comes back to it.
  function told(row, failure) {
    const mark = row.querySelector(".lost");
    if (!failure) return mark?.remove();
    const words = mark || document.createElement("p");
    words.className = "lost";
    words.textContent = failure.unsure
      ? "It is not known whether this was saved. Press Enter here again: it is saved once."
      : "Not saved yet: no answer came from the service. Press Enter here again.";
    if (!mark) row.querySelector(".says").append(words);
  }

  function warn(sentence) {
    alarm.hidden = !sentence;
    if (alarm.textContent !== sentence) alarm.textContent = sentence;
  }

  function warnSignedOut() {
    if (alarm.querySelector("a")) return;
    warn("Not saved: you are signed out. Nothing that you typed is lost. ");
    const link = document.createElement("a");
    link.href = sheet.dataset.signIn;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = "Sign in again in another tab";
    alarm.append(link, ", come back here, and press Enter in the row again.");
  }

  return ask;
};
