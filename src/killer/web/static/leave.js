"use strict";
// "I'm dead" and "I give up": held, not tapped; pending.js sends what was declared.
{
  const HOLD = 1_200;
  const leave = (form) => form.dispatchEvent(new Event("killer:leave", { bubbles: true }));

  function prepare(form) {
    const button = form.querySelector("[data-hold]");
    let wait = 0;
    const begin = () => {
      if (wait || document.body.hasAttribute("data-leaving")) return;
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

  for (const form of document.querySelectorAll("[data-leave]")) prepare(form);
}
