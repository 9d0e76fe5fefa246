// The console: which page is shown, whether the hub is there, light or dark. START HERE.

import { h, setText } from "./dom.js";
import { groupPage } from "./group_page.js";
import { explain, hub, isRefusal, useToken } from "./hub.js";
import { overviewPage } from "./overview.js";
import { command } from "./teaching.js";
import { topicPage } from "./topic_page.js";

// A page gets what it needs of the frame and what its path names, and gives its elements: `signal` ends it, crumbs
// says where it is, leave() ends it before another is shown, show() shows it again, fail(error) shows that instead.
const PAGES = [
  [/^#\/topics\/([^/]+)$/, topicPage],
  [/^#\/groups\/([^/]+)$/, groupPage],
  [/^(?:#\/?)?$/, overviewPage],
];

const main = document.getElementById("main");
let leave = new AbortController();

async function showPage() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const fail = (error) => {
    if (signal.aborted) return;
    leave.abort();
    leave = new AbortController();
    showProblem(error, leave.signal);
  };
  const [page, names] = findPage(location.hash);
  try {
    const elements = await page(
      { signal, crumbs: showCrumbs, leave: () => leave.abort(), show: showPage, fail },
      ...names,
    );
    if (!signal.aborted) main.replaceChildren(...elements);
  } catch (error) {
    fail(error);
  }
  scrollTo(0, 0);
}

function findPage(hash) {
  for (const [pattern, page] of PAGES) {
    const match = pattern.exec(hash);
    if (match) return [page, match.slice(1).map(decodeURIComponent)];
  }
  return [
    () => {
      throw new Error("There is no such page.");
    },
    [],
  ];
}

function showProblem(error, signal) {
  main.replaceChildren(
    h(
      "div",
      { class: "empty" },
      h("h1", {}, explain(error)),
      error.reason === "CONNECTION_LOST" &&
        h("p", {}, "The page goes on by itself when the hub is back. To start one:"),
      error.reason === "CONNECTION_LOST" && command("millrace-server --data-dir data"),
      isRefusal(error) && tokenForm(),
      h("a", { href: "#/" }, "To the overview"),
    ),
  );
  if (error.reason === "CONNECTION_LOST") {
    const retry = setTimeout(showPage, 2_000);
    signal.addEventListener("abort", () => clearTimeout(retry), { once: true });
  }
}

function tokenForm() {
  const token = h("input", {
    type: "password",
    autocomplete: "off",
    required: true,
    pattern: "\\s*[A-Za-z0-9._~+\\-]+\\s*", // What a WebSocket can carry.
    title: "Letters, digits and . _ ~ + -",
    "aria-label": "Token",
  });
  const use = (event) => {
    event.preventDefault();
    useToken(token.value.trim());
  };
  return h(
    "form",
    { onsubmit: use },
    h("p", {}, "This hub asks who you are. Your token stays in this tab, and is forgotten with it."),
    h("div", { class: "actions" }, token, h("button", { class: "primary", type: "submit" }, "Use it")),
  );
}

function showCrumbs(steps = []) {
  document
    .getElementById("crumbs")
    .replaceChildren(
      ...steps.flatMap(([name, href]) => [
        h("span", { "aria-hidden": "true" }, "/"),
        href ? h("a", { href }, name) : h("span", { "aria-current": "page" }, name),
      ]),
    );
}

const STATES = {
  open: "live",
  connecting: "connecting…",
  waiting: "no connection; trying again",
  closed: "closed by the hub",
};

function showConnection() {
  const connection = document.getElementById("connection");
  connection.dataset.state = hub.state;
  setText(connection, STATES[hub.state]);
}

const THEMES = ["auto", "light", "dark"];

function showTheme(theme) {
  const button = document.getElementById("theme");
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  setText(button, `◐ ${theme}`);
  button.setAttribute("aria-label", `Colours: ${theme}. Change`);
  button.onclick = () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    localStorage.setItem("theme", next);
    showTheme(next);
  };
}

document.addEventListener("keydown", (event) => {
  if (
    event.key !== "/" ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) ||
    document.querySelector("dialog[open]")
  )
    return;
  const search = main.querySelector('input[type="search"]:not([hidden])');
  if (!search) return;
  event.preventDefault();
  search.focus();
});

showTheme(THEMES.find((theme) => theme === localStorage.getItem("theme")) ?? "auto");
hub.addEventListener("statechange", showConnection);
showConnection();
addEventListener("hashchange", showPage);
showPage();
