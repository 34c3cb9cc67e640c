/* What a page gains with JavaScript; every page also works without it.
   Loaded before the first paint, so that a chosen theme does not flash. */
(() => {
  "use strict";

  const THEMES = ["auto", "light", "dark"];
  const root = document.documentElement;

  // Of somebody logged in, the server knows the theme; before that, the browser does.
  const readTheme = () => {
    if (root.dataset.person) return root.dataset.theme || "auto";
    try {
      const stored = localStorage.getItem("theme");
      return THEMES.includes(stored) ? stored : "auto";
    } catch {
      return "auto"; // storage may be blocked; the system's theme then stands
    }
  };

  const applyTheme = (theme) => {
    if (theme === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme);
    document.querySelectorAll("[data-theme-button]").forEach((button) => {
      const label = button.dataset[`label${theme[0].toUpperCase()}${theme.slice(1)}`];
      button.setAttribute("aria-label", label);
      button.setAttribute("title", label);
      button.dataset.themeButton = theme;
    });
  };

  const nextTheme = () => {
    const theme = THEMES[(THEMES.indexOf(readTheme()) + 1) % THEMES.length];
    applyTheme(theme);
    if (root.dataset.person) {
      const headers = JSON.parse(document.body.getAttribute("hx-headers"));
      const body = new URLSearchParams({ theme: theme === "auto" ? "" : theme });
      fetch(root.dataset.themeUrl, { method: "POST", headers, body }).catch(() => {});
      return;
    }
    try {
      localStorage.setItem("theme", theme);
    } catch {
      /* the choice then lasts as long as the page */
    }
  };

  const showRequestError = (shown) => {
    const message = document.getElementById("request-error");
    if (!message) return;
    message.hidden = !shown;
    if (shown) message.focus();
  };

  applyTheme(readTheme());

  document.addEventListener("DOMContentLoaded", () => {
    applyTheme(readTheme());
    document.querySelectorAll("[data-needs-script]").forEach((element) => {
      element.hidden = false;
    });
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-button]")) nextTheme();
    if (event.target.closest("[data-print]")) window.print();
  });

  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector("details.menu[open]");
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("htmx:beforeRequest", () => showRequestError(false));
  document.addEventListener("htmx:sendError", () => showRequestError(true));
  document.addEventListener("htmx:timeout", () => showRequestError(true));
  document.addEventListener("htmx:responseError", () => showRequestError(true));
})();
