"use strict";
// A server that is gone can't say so itself: after 20 s without news, the page does.
{
  const SILENCE = 20_000;
  const lost = document.getElementById("weather-lost");
  let heard = Date.now();
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful && detail.pathInfo.requestPath.startsWith("/organiser/weather")) heard = Date.now();
  });
  document.addEventListener("visibilitychange", () => { heard = Date.now(); }); // a page that slept asked nobody
  setInterval(() => { lost.hidden = Date.now() - heard < SILENCE; }, 1_000);
}
