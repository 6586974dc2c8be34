"use strict";
// The line to the server: a stream that is watched, or a poll where streams don't get through.
// What is heard is told to the page as "killer:frame"; news.js decides what it changes.
{
  const KINDS = ["enrolled", "joined", "started", "died", "gaveup", "removed", "revived", "reshuffled",
    "paused", "resumed", "ended", "undone", "changed", "ping", "resync"];
  const SILENCE = 25_000; // a ping comes at least every 15 s
  const OPENING = 8_000; // no answer by then: something swallows the stream
  const STALE = 1_000; // a phone that wakes after longer looks at everything again
  const POLL = 10_000;
  const TRY_AGAIN = 180_000;
  const TRIES = 4; // of a stream that has worked, within some 15 s, before the page polls

  const link = document.getElementById("link");
  let version = Number(document.body.dataset.version);
  let stream = null;
  let opened = 0; // when the present stream was asked for
  let accepted = false; // its head has come
  let spoken = false; // it has said something
  let worked = false; // streams get through here: one has said something since the page was opened
  let heard = Date.now(); // when the server last spoke, by stream or poll
  let failures = 0;
  let timer = 0; // of the next poll or the next opening
  let polling = false;
  let streamAgain = 0;
  let etag = "";

  const jitter = (ms) => ms * (0.75 + Math.random() / 2);

  function show(state) {
    if (link.dataset.is === state) return;
    link.dataset.is = state;
    link.textContent = link.dataset[state].replace("%s", moment(heard));
  }

  function tell(frame) {
    if (frame.version) version = Math.max(version, frame.version);
    document.dispatchEvent(new CustomEvent("killer:frame", { detail: frame }));
  }

  function close() {
    clearTimeout(timer);
    stream?.close();
    stream = null;
  }

  // --- the stream ---

  function open() {
    close();
    polling = false;
    opened = Date.now();
    accepted = spoken = false;
    stream = new EventSource(`/api/events?since=${version}`);
    stream.onopen = () => { accepted = true; };
    stream.onerror = lost;
    for (const kind of KINDS) stream.addEventListener(kind, hear);
  }

  function hear(event) {
    heard = Date.now();
    spoken = worked = true;
    failures = 0;
    show("live");
    if (event.type === "ping") return;
    let frame = {};
    try { frame = JSON.parse(event.data); } catch { /* a resync may come without data */ }
    if (event.type !== "resync" && frame.version <= version) return; // said again after a reconnection
    tell({ ...frame, type: event.type });
  }

  // The browser tries again by itself while CONNECTING; CLOSED means that it was refused.
  function lost() {
    if (!navigator.onLine) show("off");
    if (stream?.readyState === EventSource.CLOSED) return refused();
    if (spoken) opened = Date.now(); // what it tries now has its own time to answer
    accepted = spoken = false;
  }

  // Where streams have worked, a 502 means that its node has just died, and not that they never will.
  // But whoever was signed out meanwhile is to know it at once.
  function refused() {
    if (!worked || failures >= TRIES) return poll();
    if (!failures) ask();
    later();
  }

  function later() {
    close();
    failures += 1;
    if (failures > 1) show("off");
    timer = setTimeout(open, jitter(Math.min(30_000, 500 * 2 ** failures)));
  }

  // A cut line raises no error in browsers, so that silence itself must be noticed.
  function watch() {
    if (!stream || document.hidden) return;
    const now = Date.now();
    if (spoken && now - heard > SILENCE) {
      show("off");
      later();
    } else if (!spoken && now - opened > (accepted ? 2 * OPENING : OPENING)) {
      refused();
    }
  }

  // --- the poll ---

  async function poll() {
    close();
    if (!polling) streamAgain = Date.now() + jitter(TRY_AGAIN);
    polling = true;
    const away = link.dataset.is === "off";
    const reached = await ask();
    if (!polling) return; // somebody opened the stream meanwhile
    show(reached ? "poll" : "off");
    const back = away && Date.now() - opened > OPENING;
    if (reached && (back || Date.now() > streamAgain)) open();
    else timer = setTimeout(poll, jitter(POLL));
  }

  async function ask() {
    const patience = new AbortController();
    const bell = setTimeout(() => patience.abort(), OPENING);
    try {
      const answer = await fetch("/api/me", { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store", signal: patience.signal });
      if (answer.status === 401) location.reload();
      if (answer.status !== 304 && !answer.ok) return false;
      heard = Date.now();
      if (answer.status === 304) return true;
      etag = answer.headers.get("ETag") ?? "";
      const { game } = await answer.json();
      if (game.version !== version) tell({ ...game, type: "poll", card: true, text: null });
      return true;
    } catch {
      return false;
    } finally {
      clearTimeout(bell);
    }
  }

  // --- waking ---

  function wake() {
    if (document.hidden || Date.now() - heard < STALE) return;
    failures = 0;
    open();
    document.dispatchEvent(new Event("killer:stale"));
  }

  for (const name of ["pageshow", "online", "focus"]) addEventListener(name, wake);
  document.addEventListener("visibilitychange", wake);
  addEventListener("offline", () => show("off"));
  addEventListener("pagehide", close);
  setInterval(watch, 1_000);
  show("opening");
  open();
}
