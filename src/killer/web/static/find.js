"use strict";
// Finding among what is on the page: words typed and one facet chosen, without asking the server.
{
  const box = document.querySelector("[data-find]");
  const query = box.querySelector("[data-query]");
  const found = box.querySelector("[data-found]");
  const texts = new WeakMap();
  const plural = new Intl.PluralRules(document.documentElement.lang);

  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  function text(item, secrets) {
    if (!texts.has(item)) {
      const { item: name, more = "", secret = "" } = item.dataset;
      texts.set(item, [name, more, secret].map(fold));
    }
    const [name, more, hidden] = texts.get(item);
    return [secrets ? `${name} ${hidden}` : name, more]; // a veiled target can't be found either
  }

  // Two letters stand in every challenge: those are for names, and longer words for both.
  const holds = ([names, more], word) => names.includes(word) || (word.length > 3 && more.includes(word));

  function filter() {
    const words = fold(query.value).split(/\s+/).filter(Boolean);
    const facet = box.querySelector("[name=facet]:checked")?.value ?? "";
    const secrets = box.querySelector("#show-targets")?.checked;
    let n = 0, first;
    for (const item of document.getElementById(box.dataset.find).querySelectorAll("[data-item]")) {
      const fits = (!facet || item.dataset.facet === facet) && words.every((word) => holds(text(item, secrets), word));
      item.hidden = !fits;
      n += fits;
      if (fits) first ??= item;
    }
    const { one, other } = found.dataset;
    found.textContent = words.length || facet ? (plural.select(n) === "one" ? one : other).replace("%s", n) : "";
    return first;
  }

  // What is found must be seen above a phone's keyboard, whatever stands before it on the page.
  function search() {
    const first = filter();
    const seen = window.visualViewport?.height ?? innerHeight;
    if (first && first.getBoundingClientRect().top > seen / 2) box.scrollIntoView();
  }

  function typed(event) {
    const busy = event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || event.key === " ";
    if (busy || document.querySelector("dialog[open]") || event.target.closest("input:not([type=radio],[type=checkbox]), textarea, select")) return;
    if (event.key === "/") event.preventDefault();
    query.focus(); // the key itself still lands in the field
  }

  for (const tools of box.querySelectorAll("[data-tools]")) tools.hidden = false;
  box.addEventListener("input", search);
  query.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    query.value = "";
    filter();
    query.blur();
  });
  if ("keys" in box.dataset) document.addEventListener("keydown", typed);
  document.addEventListener("htmx:afterSwap", filter);
}
