"use strict";
// How every page writes a moment, in the reader's time zone: the hour alone is today's.
const moment = (() => {
  const lang = document.documentElement.lang;
  const WEEK = 6 * 86_400_000; // for so long a weekday names one day only

  return (at) => {
    const then = new Date(at);
    const now = new Date();
    const hour = then.toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    if (then.toDateString() === now.toDateString()) return hour;
    const near = Math.abs(now - then) < WEEK;
    const day = then.toLocaleDateString(lang, near ? { weekday: "short" } : { day: "numeric", month: "short" });
    return `${day.replace(" ", "\u00a0")} ${hour}`;
  };
})();
