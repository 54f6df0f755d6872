// The sheet without a mouse: Enter goes on, shows, saves. Without this file the page is one plain form.
"use strict";

(() => {
  const sheet = document.getElementById("sheet");
  if (!sheet) return;
  const rows = document.getElementById("rows");
  const tells = document.getElementById("sheet-tells");
  const voice = document.getElementById("sheet-voice");
  const FIELDS = ["who", "drawn_on", "drawn_time", "anc", "wbc", "neutrophils_percent", "segs_percent", "bands_percent", "supported"];
  const PAUSE = 120;
  const DRAFT_PAUSE = 400;
  let changes = 0;
  let kept = 0;
  let keeping = false;
  let draftTimer = 0;
  let adding = null;

  // --- what is in a row ---
  const entries = () => [...rows.querySelectorAll(".entry")];
  const rowOf = element => element.closest?.(".entry");
  const input = (row, name) => row.querySelector(`[name="${row.dataset.number}-${name}"]`);
  const text = (row, name) => { const found = input(row, name); return !found ? "" : found.type === "checkbox" ? String(found.checked) : found.value.trim(); };
  const typed = row => FIELDS.map(name => text(row, name)).join("\u001f");
  const begun = row => ["who", "anc", "wbc", "neutrophils_percent", "segs_percent", "bands_percent"].some(name => text(row, name));
  const complete = row => text(row, "who") && text(row, "drawn_on") && text(row, "drawn_time") && (text(row, "anc") || text(row, "wbc"));
  const says = row => row.querySelector(".says");
  const state = row => (row.shownFor === typed(row) ? says(row).dataset.state : "typed");
  const answers = row => [...row.querySelectorAll(".answers input:not([type=hidden]), .answers select")];
  const answered = one => (one.type === "checkbox" ? one.checked : one.value.trim() !== "");

  function fieldsOf(list, kept = false) {
    const fields = new FormData();
    fields.set("clinic", sheet.dataset.clinic);
    for (const row of list) {
      for (const one of row.querySelectorAll("input, select")) {
        if (kept && one.type === "password") continue;
        if (one.name && (one.type !== "checkbox" || one.checked)) fields.set(one.name, one.value);
      }
    }
    return fields;
  }

  const ask = sheetTalk(sheet, document.getElementById("sheet-alarm"), row => row.isConnected && begun(row));

  function parsed(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.firstElementChild;
  }

  // --- judging and saving a row ---
  async function send(row, save) {
    const sent = typed(row);
    const turn = (row.turn = (row.turn || 0) + 1);
    row.classList.add("waiting");
    const fields = fieldsOf([row]);
    if (save) fields.set("save", "1");
    const answer = await ask(sheet.dataset.row, fields, row);
    if (turn === row.turn) row.classList.remove("waiting");
    if (!answer) return "lost";
    const { became, text: html } = answer;
    if (became === "saved") { receipt(row, parsed(html)); return became; }
    if (turn !== row.turn || sent !== typed(row)) return "older";
    says(row).replaceWith(parsed(html));
    row.shownFor = sent;
    mark(row);
    count();
    // Whoever listens hears what the row means and what is asked, as others see it.
    voice.textContent = `Row ${row.dataset.number}. ${says(row).textContent.replace(/\s+/g, " ").trim()}`;
    return became;
  }

  function receipt(row, kept) {
    const here = row.contains(document.activeElement);
    const next = here ? following(row) : null;
    row.replaceWith(kept);
    if (here) (next || kept).querySelector("input:not([type=hidden]), a")?.focus();
    count();
    keepSoon();
  }

  function mark(row) {
    const wrong = says(row).dataset.invalid.split(" ");
    for (const name of FIELDS) {
      const field = input(row, name);
      if (wrong.includes(name)) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
    if (says(row).dataset.chosen || wrong.includes("who")) choose(row, says(row).dataset.chosen);
  }

  function count() {
    const states = entries().map(state);
    const number = one => states.filter(other => other === one).length;
    const parts = [[rows.querySelectorAll(".receipt").length, "saved"], [number("judged"), "ready: Enter saves"],
      [number("asked") + number("changed"), "to be looked at again"], [number("refused"), "not right yet"]];
    tells.textContent = parts.filter(([many]) => many).map(([many, what]) => `${many} ${what}`).join(" · ");
  }

  const following = row => { let next = row.nextElementSibling; while (next && !next.matches(".entry")) next = next.nextElementSibling; return next; };

  async function show(row) {
    const became = await send(row, false);
    if (!row.contains(document.activeElement)) return;
    if (became === "refused") (row.querySelector("[aria-invalid=true]") || input(row, "anc")).focus();
    if (became === "asked") answers(row).find(one => !answered(one))?.focus();
  }

  // A row that was shown and has no question is saved while the hands are in the next row already.
  async function save(row, move) {
    if (move) following(row)?.querySelector("input:not([type=hidden])")?.focus();
    const became = await send(row, true);
    if (became === "asked" && row.contains(document.activeElement)) (answers(row).find(one => !answered(one)) || answers(row)[0])?.focus();
  }

  // --- Enter ---
  function nextEmpty(row) {
    return ["who", "drawn_on", "drawn_time"].map(name => input(row, name)).find(one => !one.value.trim())
      || (text(row, "anc") || text(row, "wbc") ? null : input(row, "anc"));
  }

  // White cells are followed by their percentages: the neutrophils', or segmented ones and bands.
  function within(row, field) {
    const name = field.name.slice(field.name.indexOf("-") + 1);
    const next = { wbc: "neutrophils_percent", neutrophils_percent: text(row, "neutrophils_percent") ? "" : "segs_percent", segs_percent: "bands_percent" }[name];
    return next && text(row, "wbc") && !text(row, next) && state(row) === "typed" ? input(row, next) : null;
  }

  function pressed(row, field) {
    if (row.classList.contains("waiting")) return;
    const mine = answers(row);
    if (mine.includes(field) && state(row) === "asked") {
      const proof = row.querySelector("[name$='-document']");
      const second = row.querySelector("[name$='-second']");
      const spare = one => (one === second && proof?.value.trim()) || (one.type === "password" && !second?.value);
      const left = mine.slice(mine.indexOf(field) + 1).find(one => !answered(one) && !spare(one));
      if (left) left.focus(); else save(row, false);
      return;
    }
    const on = within(row, field);
    const empty = nextEmpty(row);
    if (on) on.focus();
    else if (empty && empty !== field) empty.focus();
    else if (empty && field !== input(row, "anc")) field.focus();
    else if (state(row) === "judged") save(row, true);
    else if (state(row) === "asked") (mine.find(one => !answered(one)) || mine[0]).focus();
    else if (state(row) === "changed") save(row, true);
    else if (begun(row)) show(row);
  }

  rows.addEventListener("keydown", event => {
    const row = rowOf(event.target);
    if (!row || !event.target.matches("input, select")) return;
    if (event.target === input(row, "who") && steer(row, event)) return;
    if (event.key === "w" && event.target === input(row, "anc") && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      row.querySelector(".more").open = true;
      input(row, "wbc").focus();
    } else if (event.key === "Enter" && !event.ctrlKey) {
      event.preventDefault();
      pressed(row, event.target);
    }
  });

  document.addEventListener("keydown", async event => {
    if (event.key !== "Enter" || !event.ctrlKey) return;
    event.preventDefault();
    for (const row of entries().filter(one => state(one) === "judged")) await save(row, false);
  });

  rows.addEventListener("click", event => {
    const row = rowOf(event.target);
    if (row && event.target.closest("button.save")) save(row, state(row) === "judged");
    const option = event.target.closest("[role=option][data-mrn]");
    if (row && option) { pick(row, option); (nextEmpty(row) || input(row, "anc")).focus(); }
  });

  // --- leaving and entering rows ---
  rows.addEventListener("focusin", event => {
    const row = rowOf(event.target);
    if (!row) return;
    carry(row);
    if (!following(row)) more();
  });

  rows.addEventListener("focusout", event => {
    const row = rowOf(event.target);
    if (!row) return;
    if (event.target === input(row, "who") && !event.relatedTarget?.closest?.(".found")) setTimeout(() => close(row), 150);
    if (!row.contains(event.relatedTarget) && complete(row) && state(row) === "typed" && !row.classList.contains("waiting")) send(row, false);
  });

  let drawn = null;
  function carry(row) {
    if (drawn && !text(row, "drawn_on")) input(row, "drawn_on").value = drawn[0];
    if (drawn && !text(row, "drawn_time")) input(row, "drawn_time").value = drawn[1];
  }

  function remember() {
    const last = entries().filter(row => begun(row) && text(row, "drawn_time")).at(-1) || entries().find(row => text(row, "drawn_on"));
    if (last) drawn = [text(last, "drawn_on"), text(last, "drawn_time")];
  }

  function more() {
    adding ??= (async () => {
      const last = Math.max(...[...rows.children].map(one => Number(one.dataset.number)));
      const answer = await ask(`${sheet.dataset.rows}?from=${last + 1}&clinic=${sheet.dataset.clinic}`);
      if (answer) rows.insertAdjacentHTML("beforeend", answer.text);
      for (const row of entries()) dress(row);
      adding = null;
    })();
  }

  // --- keeping what is typed ---
  sheet.addEventListener("input", event => {
    const row = rowOf(event.target);
    if (!row) return;
    remember();
    if (event.target === input(row, "who")) look(row);
    keepSoon();
  });

  function keepSoon() {
    changes += 1;
    clearTimeout(draftTimer);
    draftTimer = setTimeout(keep, DRAFT_PAUSE);
  }

  // One draft at a time, so that a slow one never replaces a newer one. The keys of empty rows go along: what they held is forgotten.
  async function keep() {
    if (keeping) return;
    keeping = true;
    const sent = changes;
    const fields = fieldsOf(entries().filter(begun), true);
    for (const row of entries().filter(one => !begun(one))) fields.set(`${row.dataset.number}-entry`, text(row, "entry"));
    const answer = await ask(sheet.dataset.draft, fields);
    keeping = false;
    if (answer) kept = sent;
    if (changes === sent) return;
    clearTimeout(draftTimer);
    draftTimer = setTimeout(keep, DRAFT_PAUSE);
  }

  window.addEventListener("beforeunload", event => { if (kept !== changes) event.preventDefault(); });
  sheet.addEventListener("submit", event => event.preventDefault());

  // --- finding the patient ---
  function dress(row) {
    const who = input(row, "who");
    if (who.getAttribute("role")) return;
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", `found-${row.dataset.number}`]]) who.setAttribute(name, value);
  }

  const list = row => row.querySelector(".found");
  const options = row => [...row.querySelectorAll("[role=option][data-mrn]")];
  const active = row => row.querySelector("[role=option][aria-selected=true]");

  function close(row) {
    list(row)?.remove();
    input(row, "who")?.setAttribute("aria-expanded", "false");
    input(row, "who")?.removeAttribute("aria-activedescendant");
  }

  function choose(row, words, none = false) {
    const place = row.querySelector(".chosen");
    place.classList.toggle("none", none);
    place.textContent = words;
    const twice = !none && [...rows.querySelectorAll(".receipt")].some(one => one.dataset.patient.toUpperCase() === text(row, "who").toUpperCase())
      || entries().some(one => one !== row && text(one, "who") && text(one, "who").toUpperCase() === text(row, "who").toUpperCase());
    if (twice) place.textContent += " – this patient is on the sheet already";
  }

  function point(row, option) {
    active(row)?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input(row, "who").setAttribute("aria-activedescendant", option.id);
  }

  function pick(row, option) {
    input(row, "who").value = option.dataset.mrn;
    choose(row, option.dataset.chosen);
    close(row);
    keepSoon();
  }

  function look(row) {
    choose(row, "");
    clearTimeout(row.lookTimer);
    row.lookTimer = setTimeout(() => find(row), PAUSE);
  }

  async function find(row) {
    const words = text(row, "who");
    if (!words) return close(row);
    if (list(row) && row.foundFor === words) return;
    const query = new URLSearchParams({ q: words, clinic: sheet.dataset.clinic, row: row.dataset.number });
    const answer = await ask(`${sheet.dataset.found}?${query}`);
    const found = answer && parsed(answer.text);
    if (!found || !row.isConnected || words !== text(row, "who")) return;
    close(row);
    const [only, ...others] = found.querySelectorAll("[data-mrn]");
    const exact = [only, ...others].find(one => one?.dataset.mrn.toUpperCase() === words.toUpperCase());
    if (document.activeElement !== input(row, "who")) {
      if (exact) choose(row, exact.dataset.chosen);
      else choose(row, only ? "Not chosen yet: type the MRN, or choose from the list" : found.textContent.trim(), true);
      return;
    }
    row.querySelector(".who").append(found);
    row.foundFor = words;
    input(row, "who").setAttribute("aria-expanded", "true");
    // Of several people nobody is chosen by chance: one has to be pointed at.
    if (exact || (only && !others.length)) point(row, exact || only);
  }

  function steer(row, event) {
    const all = options(row);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) {
      event.preventDefault();
      point(row, all.at((all.indexOf(active(row)) + step + (active(row) || step > 0 ? 0 : 1)) % all.length));
      return true;
    }
    if (event.key === "Escape" && list(row)) { close(row); event.preventDefault(); return true; }
    if ((event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) && active(row)) {
      pick(row, active(row));
      if (event.key === "Tab") return true;
      event.preventDefault();
      (nextEmpty(row) || input(row, "anc")).focus();
      return true;
    }
    // A name may be anybody's: Enter waits for a choice. A number is looked up while the hands go on.
    if (event.key === "Enter" && text(row, "who") && !row.querySelector(".chosen").textContent && !/\d/.test(text(row, "who"))) {
      event.preventDefault();
      find(row);
      return true;
    }
    return false;
  }

  sheet.classList.add("live");
  for (const row of entries()) dress(row);
  remember();
  if (!rows.querySelector(".receipt")) entries().find(row => !begun(row))?.querySelector("input:not([type=hidden])")?.focus();
})();
