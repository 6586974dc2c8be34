"use strict";
// The big screen: asks every two seconds (a phone every five) which edition is the present one, and fetches it when it is new.
// An edition's address names its content, so that a cache on the way may keep it for ever.
{
  const EVERY = 2_000, AT_HOME = 5_000, LONGEST = 30_000, PATIENCE = 8_000;
  const lang = document.documentElement.lang;
  const one = (id) => document.getElementById(id);
  const { api, one: kill, other: kills, more } = one("screen").dataset;
  const plural = new Intl.PluralRules(lang);
  const jitter = (ms) => ms * (0.75 + Math.random() / 2);
  let etag = "";
  let edition = ""; // the one that is shown
  let newest = -1; // the version of the newest news that was shown
  let failures = 0;
  let heard = Date.now();
  let timer = 0;
  let asked = 0; // how often; only what the newest asking brings is shown

  // --- asking ---

  async function look() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      await ask();
      failures = 0;
      heard = Date.now();
      line("live");
    } catch {
      failures += 1;
      etag = ""; // whatever went wrong, the next answer is a whole one
      line("off");
    }
    clearTimeout(timer); // somebody woke us meanwhile
    timer = setTimeout(look, jitter(Math.min(LONGEST, (projected() ? EVERY : AT_HOME) * 2 ** failures)));
  }

  async function ask() {
    const mine = ++asked;
    const answer = await get(api, { cache: "no-store", headers: etag ? { "If-None-Match": etag } : {} });
    if (answer.status === 304) return;
    one("shut").hidden = answer.status !== 404;
    if (!answer.ok) throw new Error(answer.status);
    const now = await answer.json();
    if (now.edition !== edition) {
      const whole = await get(`${api}/${now.edition}`);
      if (!whole.ok) throw new Error(whole.status);
      const told = await whole.json();
      if (mine !== asked) return; // somebody has woken us meanwhile
      show(told);
      edition = decodeURI(whole.url).split("/").pop(); // a newer one, if it was led on
    }
    if (now.edition === edition) etag = answer.headers.get("ETag") ?? "";
  }

  // No cookie goes along: the answers are the same for everybody.
  const get = (url, more) => fetch(url, { credentials: "omit", signal: AbortSignal.timeout?.(PATIENCE), ...more });

  function line(state) {
    const link = one("link");
    if (link.dataset.is === state) return;
    link.dataset.is = state;
    link.textContent = link.dataset[state].replace("%s", moment(heard));
  }

  // --- showing: names are text, never markup ---

  const counted = (n) => (plural.select(n) === "one" ? kill : kills).replace("%s", n);

  function make(tag, name, ...inside) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...inside);
    return element;
  }

  function fill(list, items) {
    list.replaceChildren(...(items.length ? items : [make("li", "none", list.dataset.empty ?? "")]));
  }

  function show(now) {
    const over = now.state === "over";
    const winner = over && now.survivors[0]?.nicknames.length === 1 ? now.survivors[0].nicknames[0] : "";
    document.body.dataset.state = now.state;
    one("state").textContent = one("state").dataset[now.state] ?? "";
    one("state").hidden = !one("state").textContent;
    count(now);
    one("winner").hidden = !winner;
    one("winner-name").textContent = winner;
    one("winner-name").classList.toggle("is-long", winner.length > 18);
    for (const part of document.querySelectorAll(".living")) part.hidden = Boolean(winner);
    for (const part of document.querySelectorAll(".end")) part.hidden = !over;
    one("told").hidden = one("best-part").hidden = over;
    fill(one("best"), now.best.map(rank));
    fill(one("survivors"), now.survivors.map(step));
    fill(one("killers"), now.killers.map(step));
    news(now.news);
  }

  function count({ alive, players }) {
    const number = one("alive");
    const moved = edition && number.textContent !== String(alive);
    number.textContent = alive;
    one("of").textContent = one("of").dataset.words.replace("%s", players);
    one("bar").max = players || 1;
    one("bar").value = alive;
    number.classList.remove("is-moving");
    if (moved) void number.offsetWidth, number.classList.add("is-moving"); // restarts the animation
  }

  function rank({ rank: place, nickname, year, kills: n, fallen }) {
    const score = make("span", "score", make("span", "unseen", counted(n)), make("span", "", String(n)));
    score.lastChild.ariaHidden = "true";
    const name = make("b", "", nickname);
    return make("li", `${place === 1 ? "first" : ""}${fallen ? " is-gone" : ""}`, make("span", "rank", String(place)), name, make("small", "", year), score);
  }

  function step({ place, kills: n, nicknames }) {
    const shown = nicknames.slice(0, nicknames.length > 4 ? 3 : 4).map((name) => make("b", "", name));
    if (nicknames.length > 4) shown.push(make("span", "others", more.replace("%s", nicknames.length - 3)));
    const block = make("p", "step-block", make("span", "step-place", String(place)));
    if (n || nicknames.length === 1) block.append(make("span", "step-kills", counted(n)));
    return make("li", `step step-${Math.min(place, 3)}`, make("div", `step-people${shown.length > 1 ? " is-shared" : ""}`, ...shown), block);
  }

  function news(lines) {
    const fresh = (version) => newest >= 0 && version > newest;
    fill(one("news"), lines.map((told) => {
      const clock = make("time", "", moment(told.at));
      clock.dateTime = told.at;
      return make("li", `feed-${told.type}${fresh(told.version) ? " is-fresh" : ""}`, clock, " ", make("span", "", told.text[lang]));
    }));
    const heardNow = lines.filter((told) => fresh(told.version)).slice(0, 3).reverse();
    if (heardNow.length) one("announce").textContent = heardNow.map((told) => told.text[lang]).join(" ");
    newest = Math.max(0, ...lines.map((told) => told.version));
  }

  // --- staying awake ---

  const projected = () => matchMedia("(min-width: 60rem)").matches; // a hall's screen, or a phone's

  async function stayAwake() {
    try {
      if (projected() && !document.hidden) await navigator.wakeLock?.request("screen");
    } catch {} // the device saves its battery
  }

  function wake() {
    if (document.hidden) return;
    failures = 0;
    stayAwake();
    look();
  }

  for (const name of ["pageshow", "online"]) addEventListener(name, wake);
  document.addEventListener("visibilitychange", wake);
  line("opening");
}
