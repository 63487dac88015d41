// Feedback of the console: toasts, notices, states of waiting, emptiness and failure.
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";

const SHOWN_MS = { good: 6000, warning: 9000, bad: 10000 };

/** Tell it to assistive technology. */
export const announce = (text) => (document.getElementById("announcements").textContent = text);

/** Show a toast for a few seconds, and announce it to assistive technology. */
export function toast(text, kind = "good") {
  announce(text);
  const stack = document.querySelector(".toasts") || document.body.appendChild(h("div", { class: "toasts" }));
  const note = h(
    "div",
    { class: `toast ${kind}` },
    icon(kind === "good" ? "check" : "warning"),
    h("span", {}, text),
    h("button", { type: "button", class: "bare", "aria-label": "Dismiss", onclick: () => note.remove() }, icon("close")),
  );
  stack.append(note);
  setTimeout(() => note.remove(), SHOWN_MS[kind]);
}

/**
 * Report the propagation of a change, once the page shows it: who types on at the message must not lose a word. A page
 * that fails to load again does not hide the message.
 */
export async function reportChange(what, fleet, reload = async () => {}) {
  try {
    await reload();
  } finally {
    report(what, fleet);
  }
}

/** Report how far a change has come. */
export function report(what, fleet) {
  if (!fleet) return toast(what);
  if (!fleet.safe) return toast(`${what} ${notSafe(fleet)}`, "warning");
  const fenced = fleet.fenced ? `, ${fleet.fenced} cannot answer` : "";
  const after = `after ${Math.round(fleet.milliseconds)} ms`;
  return toast(`${what} Safe now: ${fleet.applied} of ${fleet.nodes} nodes applied it${fenced}, ${after}.`);
}

/** Say what is known of a change that is not safe yet. An unknown value is never a number. */
function notSafe({ unknown, nodes, applied, fenced }) {
  if (unknown)
    return "How many nodes have it is not known: Redis is not responding, or has lost what it knew of them. See Fleet.";
  const waiting = nodes - applied - fenced;
  return waiting
    ? `${waiting} of ${nodes} nodes have not confirmed it yet. See Fleet.`
    : "It has not been published to the nodes yet. See Fleet.";
}

export const badge = (text, kind = "") => h("span", { class: `badge ${kind}` }, text);

export const notice = (kind, ...content) =>
  h("div", { class: `notice ${kind}` }, icon(kind === "good" ? "check" : "warning"), h("div", {}, content));

/** An error. `way`: a button of it that leads on. */
export const failure = (error) =>
  h("div", { role: "alert" }, notice("bad", h("p", {}, error.message || String(error)), error.way));

export const loading = (text = "Loading…") => h("p", { class: "loading" }, text);

export const empty = (glyph, title, text, action = null) =>
  h("div", { class: "empty" }, icon(glyph), h("h2", {}, title), h("p", {}, text), action);

const working = new WeakSet();

/** Run a button's action once at a time; the button shows that it is busy. The caller handles errors. */
export async function busy(button, action) {
  if (working.has(button)) return;
  working.add(button);
  // Not `disabled`, which would lose the focus.
  button.setAttribute("aria-disabled", "true");
  try {
    await action();
  } finally {
    working.delete(button);
    button.removeAttribute("aria-disabled");
  }
}

/** Like `busy`; an error is shown in a toast. */
export const attempt = (button, action) =>
  busy(button, async () => {
    try {
      await action();
    } catch (error) {
      toast(error.message, "bad");
    }
  });

/** Fill a place with an action's result; meanwhile it shows that it is loading, or the error. */
export async function load(place, make) {
  fill(place, loading());
  try {
    fill(place, await make());
  } catch (error) {
    fill(place, failure(error));
  }
}
