"use strict";
// The button says that the photo is on its way: on a bad network that takes a while.
{
  const form = document.querySelector("[data-photo]");
  const button = form.querySelector("button");
  const words = button.querySelector("span").textContent;

  form.addEventListener("submit", () => {
    button.setAttribute("aria-busy", "true");
    button.querySelector("span").textContent = button.dataset.sending;
  });

  // Back from the next page, a browser may show this one as it was left.
  addEventListener("pageshow", () => {
    button.removeAttribute("aria-busy");
    button.querySelector("span").textContent = words;
  });
}
