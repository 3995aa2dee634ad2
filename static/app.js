"use strict";
// Comfort only: every page works without this file.
(() => {
  const on = (name, act) => document.addEventListener(name, act);
  const busy = (value) => (event) => event.detail.target?.setAttribute("aria-busy", value);
  const open = () => {
    // Browsers without scroll-initial-target: open a wide plot at now.
    for (const mark of document.querySelectorAll(".tl .at i")) {
      const box = mark.closest(".tl");
      if (!box.scrollLeft) box.scrollLeft = mark.offsetLeft;
    }
  };
  on("DOMContentLoaded", open);
  on("htmx:afterSettle", open);
  on("htmx:beforeRequest", busy("true"));
  on("htmx:afterRequest", busy("false"));
  const row = ({ target }) => target.closest("tr[data-open]")?.querySelector("a.name");
  on("dblclick", (event) => row(event)?.click());
  on("keydown", (event) => {
    if (event.key !== "Enter" || event.target.type !== "checkbox" || !row(event)) return;
    event.preventDefault();
    row(event).click();
  });
  const keys = { ArrowLeft: "go-back", ArrowRight: "go-next" };
  on("keydown", ({ key, target, altKey, ctrlKey, metaKey }) => {
    if (altKey || ctrlKey || metaKey || target.matches("input,select,textarea,[tabindex='0']")) return;
    document.getElementById(keys[key])?.click();
  });
  const offline = (shown) => () => { document.getElementById("offline").hidden = !shown; };
  on("htmx:sendError", offline(true));
  on("htmx:beforeOnLoad", offline(false));
  on("change", ({ target }) => {
    if (!target.dataset.all) return;
    for (const box of document.getElementsByName(target.dataset.all)) box.checked = target.checked;
  });
})();
