"use strict";
// Links with a page of their own open as a dialog where the page holds one.
{
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-dialog]");
    const dialog = link && document.getElementById(link.dataset.dialog);
    if (!dialog?.showModal || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    dialog.showModal();
  });

  // A tap beside the dialog closes it.
  document.addEventListener("click", ({ target }) => target.matches?.("dialog[open]") && target.close());

  // A page out of the back cache holds keys that were used: they would change nothing a second time.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
