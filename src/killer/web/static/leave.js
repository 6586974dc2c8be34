"use strict";
// "I'm dead" and "I give up": held, not tapped; kept and sent again until the server has answered.
{
  const KEY = "killer.pending";
  const HOLD = 1_200;
  const player = document.body.dataset.player;
  const forms = document.querySelectorAll("[data-leave]");
  let attempts = 0;
  let timer = 0;
  let busy = false;

  const store = {
    get() { try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; } },
    set(job) { try { localStorage.setItem(KEY, JSON.stringify(job)); } catch { /* private mode: this page only */ } },
    drop() { try { localStorage.removeItem(KEY); } catch { /* as above */ } },
  };
  let pending = store.get();
  if (pending?.player !== player) pending = null; // another player's phone, or somebody else's tap

  // --- holding ---

  function prepare(form) {
    const button = form.querySelector("[data-hold]");
    let wait = 0;
    const begin = () => {
      if (wait || busy) return;
      button.classList.add("is-holding");
      wait = setTimeout(() => { stop(); leave(form); }, HOLD);
    };
    const stop = () => {
      clearTimeout(wait);
      wait = 0;
      button.classList.remove("is-holding");
    };
    button.hidden = form.querySelector("[data-or]").hidden = false;
    button.addEventListener("pointerdown", begin);
    for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(name, stop);
    button.addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && !event.repeat && begin());
    button.addEventListener("keyup", stop);
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    form.addEventListener("submit", (event) => { event.preventDefault(); leave(form); });
  }

  // --- sending ---

  function leave(form) {
    if (busy || pending) return;
    pending = { player, url: form.getAttribute("action"), key: form.elements.idempotency_key.value };
    store.set(pending);
    attempts = 0;
    send();
  }

  function formOf(job) {
    return document.querySelector(`[data-leave][action="${job.url}"]`);
  }

  async function send() {
    clearTimeout(timer);
    const form = pending && formOf(pending);
    if (!form || busy) return;
    mark(form, true);
    const answer = await post(form);
    const html = (await answer?.text().catch(() => "")) ?? "";
    mark(form, false);
    if (!pending) return; // taken back while on its way
    if (!answer || answer.status >= 500 || answer.status === 429) again(form, answer);
    else if (answer.status === 401) location.assign("/sign-in");
    else if (answer.status === 403 && !pending.renewed) renew();
    else done(form, html);
  }

  function post(form) {
    const patience = new AbortController();
    setTimeout(() => patience.abort(), 15_000);
    const fields = { csrf_token: form.elements.csrf_token.value, idempotency_key: pending.key, sure: "yes" };
    const headers = { "HX-Request": "true", "Idempotency-Key": pending.key };
    return fetch(pending.url, { method: "POST", body: new URLSearchParams(fields), headers, signal: patience.signal }).catch(() => null);
  }

  function mark(form, sending) {
    busy = sending;
    document.body.toggleAttribute("data-leaving", sending);
    const words = form.querySelector(".hold-text");
    words.dataset.rest ??= words.textContent;
    words.textContent = sending ? form.dataset.sending : words.dataset.rest;
    for (const button of form.querySelectorAll("button")) button.toggleAttribute("aria-busy", sending);
  }

  function again(form, answer) {
    attempts += 1;
    form.closest("dialog")?.close();
    say(form);
    const asked = Number(answer?.headers.get("Retry-After")) * 1_000;
    timer = setTimeout(send, asked || Math.min(30_000, 1_000 * 2 ** attempts) * (0.75 + Math.random() / 2));
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

  function forget() {
    clearTimeout(timer);
    pending = null;
    store.drop();
    document.getElementById("pending")?.remove();
  }

  function done(form, html) {
    forget();
    form.elements.idempotency_key.value = Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
    if (!html.includes('id="card"') || !document.getElementById("card")) return location.assign("/");
    form.closest("dialog")?.close();
    form.reset();
    htmx.swap("#card", html, { swapStyle: "outerHTML" });
    document.dispatchEvent(new Event("killer:answered"));
    document.getElementById("main").focus();
    scrollTo({ top: 0 });
  }

  function say(form) {
    if (document.getElementById("pending")) return;
    const notice = document.createElement("p");
    notice.id = "pending";
    notice.className = "notice notice-problem";
    notice.setAttribute("role", "alert");
    const words = document.createElement("span");
    words.textContent = form.dataset.pending;
    const cancel = document.createElement("button");
    cancel.type = "button";
    cancel.textContent = form.dataset.cancel;
    cancel.addEventListener("click", forget);
    notice.append(words, cancel);
    document.getElementById("main").prepend(notice);
    scrollTo({ top: 0 });
  }

  for (const form of forms) prepare(form);
  addEventListener("online", afresh);
  document.addEventListener("visibilitychange", () => document.hidden || afresh());
  document.addEventListener("killer:frame", send);
  if (pending && formOf(pending)) {
    say(formOf(pending));
    send();
  } else if (pending && document.getElementById("card")) {
    forget(); // the card says that it has happened
  }
}
