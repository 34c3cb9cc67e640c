/* Search from anywhere, drafts as one types, fields checked as one leaves them.
   Every page works without this file. Loaded after the page. */
(() => {
  "use strict";

  const person = document.documentElement.dataset.person;

  const post = (url, body, more = {}) => {
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    // A redirect means that the session is over: it is not followed, and counts as a failure.
    return fetch(url, { method: "POST", headers, body, redirect: "manual", ...more });
  };

  const say = (text) => {
    document.getElementById("said").textContent = text;
  };

  /* ---------- Search ---------- */

  const shown = (element) => element && element.offsetParent !== null;
  const panel = () => document.querySelector(".search-panel");
  const closePanel = () => {
    if (panel()) panel().hidden = true;
  };

  const moveInResults = (event, input) => {
    const stops = [input, ...document.querySelectorAll("#search-results a[href]")];
    const place = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (!stops[place]) return;
    event.preventDefault();
    stops[place].focus();
  };

  document.addEventListener("keydown", (event) => {
    const input = document.querySelector("[data-search] input");
    if (!input) return;
    if (event.key === "/" && !event.ctrlKey && !event.altKey && !event.metaKey) {
      if (event.target.closest("input, textarea, select, [contenteditable]")) return;
      event.preventDefault();
      if (shown(input)) input.focus();
      else document.querySelector(".search-link").click();
      return;
    }
    if (!event.target.closest("[data-search], #search-results")) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") moveInResults(event, input);
    if (event.key === "Escape" && shown(panel())) {
      event.preventDefault();
      input.focus();
      closePanel();
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target === panel()) event.target.hidden = !event.target.closest("form").contains(document.activeElement);
  });
  for (const kind of ["focusin", "pointerdown"]) {
    document.addEventListener(kind, (event) => {
      if (!event.target.closest("[data-search]")) closePanel();
      else if (panel() && panel().innerHTML) panel().hidden = false;
    });
  }

  /* ---------- Drafts ---------- */

  // What is typed stands in this browser's storage, in clear, from the moment it is sent until the site
  // answers that it has it: for long only while the site cannot be reached. It goes at log-out, when
  // somebody else logs in, and after a week.

  const DELAY = 2000;
  const RETRY = 15000;
  const WEEK = 7 * 24 * 3600 * 1000;
  let timer = 0;
  let touched = null;

  const kept = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith("draft:"));
    } catch {
      return []; // storage may be blocked: what is typed is then kept by the server only
    }
  };
  const keep = (url, body) => {
    try {
      localStorage.setItem(`draft:${person}:${url}`, JSON.stringify({ at: Date.now(), body }));
    } catch {
      /* as above */
    }
  };
  const release = (key) => localStorage.removeItem(key);

  const typed = (form) => {
    const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
    return new URLSearchParams(fields.filter(([, value]) => typeof value === "string")).toString();
  };

  const tell = (form, text) => {
    const status = form.querySelector("[data-draft-status]");
    if (status) status.textContent = text;
  };

  const send = (url, body) =>
    post(url, body, { headers: { ...JSON.parse(document.body.getAttribute("hx-headers")), "Content-Type": "application/x-www-form-urlencoded" } });

  const save = async (form) => {
    clearTimeout(timer);
    timer = 0;
    const url = form.dataset.draft;
    const body = typed(form);
    const words = form.querySelector("[data-draft-status]").dataset;
    keep(url, body);
    try {
      const answer = await send(url, body);
      if (answer.ok || answer.status === 413) {
        release(`draft:${person}:${url}`);
        tell(form, await answer.text());
      } else tell(form, words.refused);
    } catch {
      tell(form, words.offline);
    }
  };

  // What an earlier page could not send. Nobody else's typing stays on this computer.
  const sendKept = async () => {
    for (const key of kept()) {
      const [, owner] = key.split(":", 2);
      const url = key.slice(`draft:${owner}:`.length);
      const { at, body } = JSON.parse(localStorage.getItem(key));
      if ((person && owner !== person) || Date.now() - at > WEEK) release(key);
      else if (person) {
        const answer = await send(url, body).catch(() => null);
        if (!answer) return;
        if (!answer.ok && answer.status !== 413) continue;
        release(key);
        const form = document.querySelector("form[data-draft]");
        const here = new URLSearchParams(url.split("?")[1]).get("page") === location.pathname;
        if (here && form && touched === null) location.reload(); // the page now offers the draft, or shows it
        else if (form && form.dataset.draft === url) tell(form, await answer.text());
      }
    }
  };

  const note = (event) => {
    const form = event.target.closest && event.target.closest("form[data-draft]");
    if (!form) return;
    touched = form;
    clearTimeout(timer);
    timer = setTimeout(save, DELAY, form);
  };
  document.addEventListener("input", note);
  document.addEventListener("change", note);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-draft-save]");
    if (!button) return;
    event.preventDefault();
    save(button.form);
  });

  document.addEventListener(
    "submit",
    (event) => {
      clearTimeout(timer);
      timer = 0;
      if (event.target.matches("[data-logout]")) kept().forEach(release);
    },
    true,
  );
  document.addEventListener("visibilitychange", () => {
    if (timer && document.visibilityState === "hidden" && document.contains(touched)) save(touched);
  });
  for (const kind of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, (event) => {
      if (event.target.matches("form[data-draft]")) save(event.target);
    });
  }

  sendKept();
  window.addEventListener("online", sendKept);
  setInterval(() => {
    if (kept().length) sendKept();
  }, RETRY);

  /* ---------- Fields ---------- */

  const showProblems = (field, list) => {
    const id = `${field.id}_error`;
    const old = document.getElementById(id);
    if (old) old.remove();
    const described = (field.getAttribute("aria-describedby") || "").split(" ").filter((each) => each && each !== id);
    if (list) {
      field.closest(".field").insertAdjacentHTML("beforeend", list);
      described.push(id);
      field.setAttribute("aria-invalid", "true");
      say(document.getElementById(id).textContent);
    } else field.removeAttribute("aria-invalid");
    if (described.length) field.setAttribute("aria-describedby", described.join(" "));
    else field.removeAttribute("aria-describedby");
  };

  document.addEventListener("change", async (event) => {
    const field = event.target;
    const form = field.closest("form[data-check]");
    if (!form || !field.name || !field.closest(".field") || field.type === "checkbox") return;
    const value = field.value;
    const answer = await post(form.dataset.check, new URLSearchParams({ champ: field.name, valeur: value })).catch(() => null);
    if (!answer || !answer.ok) return;
    const list = (await answer.text()).trim();
    // A press on a button is over by then: nothing moves away from under it.
    setTimeout(() => {
      if (field.value === value && document.contains(field)) showProblems(field, list);
    }, 150);
  });
})();
