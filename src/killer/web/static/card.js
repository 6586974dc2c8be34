"use strict";
// The player's card: the veil over the target, remembered, and the moment of a new target.
{
  const KEY = "killer.reveal";
  const remembered = () => { try { return localStorage.getItem(KEY) === "yes"; } catch { return false; } };
  const remember = (shown) => { try { localStorage.setItem(KEY, shown ? "yes" : "no"); } catch { /* private mode */ } };
  const box = () => document.getElementById("reveal");
  const target = () => document.querySelector("[data-target]");

  let known = target()?.dataset.target;

  function settle() {
    if (box()) box().checked = remembered();
    if (document.getElementById("card").dataset.mood !== "running") closeQuestions();
    const now = target()?.dataset.target;
    if (now && now !== known) celebrate();
    known = now;
  }

  // Nothing is left to declare: whatever they offer would be refused.
  function closeQuestions() {
    for (const question of document.querySelectorAll("dialog[open]")) question.close();
  }

  function celebrate() {
    document.getElementById("card").dataset.new = ""; // htmx puts a class back as it was, a data attribute stays
    document.getElementById("announce").textContent = target().dataset.announce;
    navigator.vibrate?.([70, 50, 150]);
    if (remembered()) setTimeout(calm, 6_000);
  }

  function calm() {
    delete document.getElementById("card")?.dataset.new;
  }

  document.addEventListener("change", ({ target: changed }) => {
    if (!changed.matches("[data-reveal]")) return;
    remember(changed.checked);
    setTimeout(calm, 1_500);
  });
  document.addEventListener("htmx:afterSwap", settle);
  document.addEventListener("killer:answered", settle);
  settle();
}
