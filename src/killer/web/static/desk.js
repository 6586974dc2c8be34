"use strict";
// Small help for organisers: copy what is shown once, fill a reason in.
{
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copy);
      field.select();
      // navigator.clipboard exists under HTTPS only; a laptop in a LAN has none
      if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
      else document.execCommand("copy");
      button.textContent = button.dataset.done;
    });
  }

  for (const row of document.querySelectorAll("[data-suggest]")) {
    row.hidden = false;
    row.addEventListener("click", ({ target }) => {
      if (target.matches("button")) document.getElementById(row.dataset.suggest).value = target.textContent;
    });
  }
}
