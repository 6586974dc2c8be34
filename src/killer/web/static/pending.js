"use strict";
// A declared death is kept until the server has answered: every page sends it again, and says so at its top.
{
  const KEY = "killer.pending";
  const PATIENCE = 15_000;
  const LONGEST = 60_000; // of the waits that a server may ask for
  const player = document.body.dataset.player;
  const words = document.getElementById("pending-words").dataset;
  const main = document.getElementById("main");
  const card = () => document.getElementById("card");
  const notice = () => document.getElementById("pending");
  let attempts = 0;
  let timer = 0;
  let busy = false;
  let away = false; // nothing has answered the last time
  let held = false; // a tap that would have led away was held back
  let notBefore = 0; // when the server wants to be asked again

  const store = {
    get() { try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; } },
    set(job) { try { localStorage.setItem(KEY, JSON.stringify(job)); } catch { /* private mode: this page only */ } },
    drop() { try { localStorage.removeItem(KEY); } catch { /* as above */ } },
  };
  const kept = () => { const job = store.get(); return job?.player === player ? job : null; }; // not another player's
  let pending = kept();

  function begin({ target: form }) {
    if (busy) return;
    if (pending) return point(form);
    pending = { player, url: form.getAttribute("action"), key: form.elements.idempotency_key.value };
    store.set(pending);
    attempts = notBefore = 0;
    send();
  }

  // --- sending ---

  async function send() {
    clearTimeout(timer);
    if (!pending || busy) return;
    if (Date.now() < notBefore) return later(notBefore - Date.now());
    mark(true);
    const answer = await post();
    const html = (await answer?.text().catch(() => "")) ?? "";
    mark(false);
    away = !answer;
    held &&= away;
    if (!pending) return; // taken back while on its way
    if (!answer || answer.status >= 500 || answer.status === 429) again(answer);
    else if (answer.status === 401) location.assign("/sign-in");
    else if (answer.status === 403 && !pending.renewed) renew();
    else done(html);
  }

  function post() {
    const patience = new AbortController();
    setTimeout(() => patience.abort(), PATIENCE);
    const fields = { csrf_token: document.querySelector("[name=csrf_token]").value, idempotency_key: pending.key, sure: "yes" };
    const headers = { "HX-Request": "true", "Idempotency-Key": pending.key };
    return fetch(pending.url, { method: "POST", body: new URLSearchParams(fields), headers, signal: patience.signal }).catch(() => null);
  }

  function mark(sending) {
    busy = sending;
    document.body.toggleAttribute("data-leaving", sending);
    for (const text of document.querySelectorAll(".hold-text")) {
      text.dataset.rest ??= text.textContent;
      text.textContent = sending ? words.sending : text.dataset.rest;
    }
    for (const button of document.querySelectorAll("[data-leave] button")) button.toggleAttribute("aria-busy", sending);
  }

  function again(answer) {
    attempts += 1;
    closeDialogs();
    say(answer ? words.refused : held ? words.stay : words.away);
    const asked = Math.min(LONGEST, Number(answer?.headers.get("Retry-After")) * 1_000 || 0);
    const wait = asked * (1 + Math.random() / 4) || Math.min(30_000, 1_000 * 2 ** attempts) * (0.75 + Math.random() / 2);
    notBefore = Date.now() + (answer ? asked || 1_000 : 0);
    later(wait);
  }

  function later(delay) {
    timer = setTimeout(send, delay);
  }

  // The network says that it is back, often a moment too early: the long waits are over.
  function afresh() {
    attempts = 0;
    send();
  }

  // The page's token has grown old: a new page brings a new one, the kept tap is sent from there.
  function renew() {
    pending.renewed = true;
    store.set(pending);
    location.reload();
  }

  // --- the end of it ---

  function forget() {
    clearTimeout(timer);
    pending = null;
    away = held = false;
    store.drop();
    notice()?.remove();
  }

  function done(html) {
    const { url } = pending;
    forget();
    closeDialogs();
    for (const form of document.querySelectorAll(`[data-leave][action="${url}"]`)) {
      form.reset();
      form.elements.idempotency_key.value = Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
    }
    const place = card() ?? document.querySelector(".page-leave .sheet");
    if (place && html.includes('id="card"')) show(place, html);
    else tell(html);
    main.focus();
    scrollTo({ top: 0 });
  }

  function show(place, html) {
    if (place !== card()) history.replaceState(null, "", "/");
    htmx.swap(place, html, { swapStyle: "outerHTML" });
    document.dispatchEvent(new Event("killer:answered"));
  }

  // Where no card is shown, the answer's sentence is: of a card's notice, or of a page that says what went wrong.
  function tell(html) {
    const said = new DOMParser().parseFromString(html, "text/html").querySelector(".notice, .lead");
    const told = element("p", said?.classList.contains("notice") ? said.className : "notice notice-problem");
    told.setAttribute("role", "status");
    told.append(element("span", "", said?.textContent ?? words.refused));
    main.prepend(told);
  }

  // --- the notice ---

  function element(tag, name, text = "") {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return made;
  }

  function say(text) {
    if (!notice()) {
      const made = element("p", "notice notice-problem");
      made.id = "pending";
      made.tabIndex = -1;
      made.setAttribute("role", "alert");
      const cancel = element("button", "", words.cancel);
      cancel.type = "button";
      cancel.addEventListener("click", forget);
      made.append(element("span", ""), cancel);
      main.prepend(made);
      scrollTo({ top: 0 });
    }
    const span = notice().querySelector("span");
    if (span.textContent !== text) span.textContent = text;
  }

  function point(form) {
    form.closest("dialog")?.close();
    if (!notice()) say(words.unsent);
    notice().focus();
    scrollTo({ top: 0 });
  }

  function closeDialogs() {
    for (const form of document.querySelectorAll("[data-leave]")) form.closest("dialog")?.close();
  }

  // --- staying: without network every other page is the browser's own, which sends nothing ---

  function stay(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
    held = true;
    say(words.stay);
    notice().focus();
    scrollTo({ top: 0 });
    afresh();
  }

  const leaving = () => pending && (away || busy || !navigator.onLine);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.origin !== location.origin || link.hash || link.dataset.dialog || event.ctrlKey || event.metaKey) return;
    if (leaving()) stay(event);
  }, true);
  document.addEventListener("submit", (event) => {
    if (leaving() && event.target.method === "post" && !event.target.matches("[data-leave]")) stay(event);
  }, true);

  document.addEventListener("killer:leave", begin);
  document.addEventListener("killer:frame", send);
  document.addEventListener("visibilitychange", () => document.hidden || afresh());
  addEventListener("online", afresh);
  // What another tab has sent or taken back is no longer sent from here.
  addEventListener("storage", ({ key }) => {
    if (key !== KEY) return;
    if (!kept()) return pending && forget();
    if (!pending) later(5_000); // should that tab be closed before it could
    pending = kept();
  });

  if (pending && card() && !["preparing", "running", "paused"].includes(card().dataset.mood)) {
    forget(); // the card says that it has happened
  } else if (pending) {
    say(words.unsent);
    send();
  }
}
