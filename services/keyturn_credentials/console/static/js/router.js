// Addresses in the console: /console/<realm>/<page>/….
import { h } from "./dom.js";
import { confirm } from "./parts/dialog.js";

const UNSAVED = {
  title: "Leave without saving?",
  consequences: ["Your unsaved changes on this page will be lost."],
  action: "Leave",
};

/** Returns the question to ask before the page is left; null: it may be left. */
let guard = null;
/** The address of the page that is shown. */
let shown = location.pathname + location.search;

/** The address of a page. */
export const pagePath = (realm, ...parts) =>
  ["/console", ...[realm, ...parts].map(encodeURIComponent)].join("/");

/** The parts of the current address: realm, page, and the rest for the page. */
export function here() {
  const parts = location.pathname.split("/").slice(2).filter(Boolean);
  return parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

/** Whether something on the page is not saved yet. */
export const hasUnsaved = () => document.querySelector("main form[data-unsaved]") !== null;

// Reloading and closing: the browser asks in its own words.
addEventListener("beforeunload", (event) => {
  if (guard || hasUnsaved()) event.preventDefault();
});

/**
 * Ask before the page is left, whichever way: `question()` makes what `confirm` asks. Null: no longer.
 * @param {(() => {title: string, consequences: string[], action: string}) | null} question
 */
export function guardLeaving(question) {
  guard = question;
}

/** Whether the page may be left; asks if something on it would be lost. */
export async function mayLeave() {
  const question = guard?.() || (hasUnsaved() && UNSAVED);
  return !question || (await confirm(question));
}

/**
 * Change the query of the current address, for a page that can be opened again as it is. `isNew`: the way back leads
 * to the page as it was.
 */
export function setQuery(query, { isNew = false } = {}) {
  const text = String(query);
  shown = location.pathname + (text && `?${text}`);
  if (isNew) history.pushState(null, "", shown);
  else history.replaceState(null, "", shown);
}

/** Show the page in the address now and whenever it changes; `show` is told whether the user has moved. */
export function follow(show) {
  shown = location.pathname + location.search;
  onpopstate = async (event) => {
    const wanted = location.pathname + location.search;
    if (event.isTrusted && (guard || hasUnsaved())) {
      // The browser has gone back already: return to the page until the user is sure.
      history.pushState(null, "", shown);
      if (!(await mayLeave())) return;
      history.replaceState(null, "", wanted);
    }
    shown = wanted;
    show(true);
  };
}

/** Show another page without reloading the document. Asks for confirmation if something would be lost. */
export async function go(path, { ask = true } = {}) {
  if (ask && !(await mayLeave())) return;
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
  scrollTo(0, 0);
}

/** A link that stays in the console. */
export function link(path, label, properties = {}) {
  const onclick = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(path);
  };
  return h("a", { href: path, onclick, ...properties }, label);
}
