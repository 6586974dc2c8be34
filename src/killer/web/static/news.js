"use strict";
// What a frame changes on the page: counts, news, and which fragments are asked for again.
{
  const EVERYBODY = new Set(["started", "paused", "resumed", "ended", "resync"]);
  const CROWD = 1_500; // the least over which phones that hear the same frame are spread
  const CARD = 5, BOARD = 20; // milliseconds for each player: about 200 cards or 50 boards a second
  const LINES = 40;
  const lang = document.documentElement.lang;
  let crowd = 0; // players, as the last frame counted them
  const chance = (ms) => Math.random() * ms;
  const spread = (each) => chance(Math.max(CROWD, each * crowd));
  const one = (id) => document.getElementById(id);

  // --- the card: at once when it is mine that changed ---

  let cardTimer = 0;
  let cardAt = Infinity; // when the next look is due
  let wanted = 0; // the version that the card must show at least

  const shown = () => Number(one("card").dataset.version);

  function refreshCard(delay, version = Infinity) {
    wanted = Math.max(wanted, version);
    if (Date.now() + delay >= cardAt) return;
    cardAt = Date.now() + delay;
    clearTimeout(cardTimer);
    cardTimer = setTimeout(look, delay);
  }

  function look() {
    cardAt = Infinity;
    const leaving = document.body.hasAttribute("data-leaving"); // the answer will be the new card
    if (one("card") && !leaving && wanted > shown()) htmx.trigger("#card", "killer:refresh");
    wanted = 0;
  }

  // An answer that was overtaken by a newer card is dropped.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const version = /data-version="(\d+)"/.exec(detail.xhr.responseText)?.[1];
    if (detail.target.id === "card" && Number(version) < shown()) detail.shouldSwap = false;
  });

  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.target?.id === "card" && detail.failed) refreshCard(3_000 + spread(CARD));
  });

  // --- pages that everybody may have open: not more often than each second, and only when seen ---

  let followTimer = 0;
  let due = false;

  function follow() {
    if (!document.querySelector("[data-follow]")) return;
    due = true;
    if (document.hidden || followTimer) return;
    followTimer = setTimeout(() => {
      followTimer = 0;
      due = false;
      for (const part of document.querySelectorAll("[data-follow]")) htmx.trigger(part, "killer:refresh");
    }, 1_000 + spread(BOARD));
  }

  document.addEventListener("visibilitychange", () => due && follow());

  // --- counts and news ---

  function count(name, number) {
    for (const place of document.querySelectorAll(`[data-live="${name}"]`)) {
      if (number === undefined || place.textContent === String(number)) continue;
      place.textContent = number;
      place.classList.remove("is-moving");
      void place.offsetWidth; // restarts the animation
      place.classList.add("is-moving");
    }
  }

  function bars(alive, players) {
    for (const bar of document.querySelectorAll('[data-live="bar"]')) {
      if (players) bar.max = players;
      if (alive !== undefined) bar.value = alive;
    }
  }

  function addNews(frame) {
    const feed = one("feed");
    const text = frame.text?.[lang];
    if (!feed || !text || feed.querySelector(`[data-version="${Number(frame.version)}"]`)) return;
    feed.querySelector(".none")?.remove();
    const line = document.createElement("li");
    line.className = `is-fresh feed-${frame.type}`;
    line.dataset.version = frame.version;
    const clock = document.createElement("time");
    clock.dateTime = frame.at;
    clock.dataset.clock = "";
    const words = document.createElement("span");
    words.textContent = text;
    line.append(clock, " ", words);
    feed.prepend(line);
    while (feed.children.length > LINES) feed.lastElementChild.remove();
    clocks(); // a new day may have begun
  }

  function clocks() {
    for (const clock of document.querySelectorAll("[data-clock]")) clock.textContent = moment(clock.dateTime);
  }

  let state = document.body.dataset.state;

  document.addEventListener("killer:frame", ({ detail: frame }) => {
    const turned = frame.state !== undefined && frame.state !== state;
    state = frame.state ?? state;
    crowd = frame.players ?? crowd;
    count("alive", frame.alive);
    count("players", frame.players);
    bars(frame.alive, frame.players);
    addNews(frame);
    if (frame.card) refreshCard(0, frame.version);
    else if (turned || EVERYBODY.has(frame.type)) refreshCard(spread(CARD), frame.version);
    if (frame.type === "poll" || frame.type === "resync") one("feed") && htmx.trigger("#feed", "killer:refresh");
    follow();
  });

  document.addEventListener("killer:stale", () => {
    refreshCard(0);
    one("feed") && htmx.trigger("#feed", "killer:refresh");
    follow();
  });

  document.addEventListener("htmx:afterSwap", clocks);
  clocks();
}
