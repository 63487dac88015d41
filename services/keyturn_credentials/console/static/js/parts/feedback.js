// What the console says back: toasts, notices, states of waiting, emptiness and failure.
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";

const SHOWN_MS = { good: 6000, warning: 9000, bad: 10000 };

/** Say something to everybody: on screen for some seconds, and to assistive technology. */
export function toast(text, kind = "good") {
  document.getElementById("announcements").textContent = text;
  const stack = document.querySelector(".toasts") || document.body.appendChild(h("div", { class: "toasts" }));
  const note = h(
    "div",
    { class: `toast ${kind}` },
    icon(kind === "good" ? "check" : "warning"),
    h("span", {}, text),
  );
  stack.append(note);
  setTimeout(() => note.remove(), SHOWN_MS[kind]);
}

/** Tell how far a change has come over the fleet. */
export function reportChange(what, fleet) {
  if (!fleet) return toast(what);
  if (!fleet.safe) {
    const text = `${fleet.pending} of ${fleet.nodes} nodes have not confirmed it yet; Fleet shows when they do.`;
    return toast(`${what} ${text}`, "warning");
  }
  const fenced = fleet.fenced ? `, ${fleet.fenced} cannot answer` : "";
  const after = `after ${Math.round(fleet.milliseconds)} ms`;
  return toast(`${what} Safe now: ${fleet.applied} of ${fleet.nodes} nodes applied it${fenced}, ${after}.`);
}

export const badge = (text, kind = "") => h("span", { class: `badge ${kind}` }, text);

export const notice = (kind, ...content) =>
  h("div", { class: `notice ${kind}` }, icon(kind === "good" ? "check" : "warning"), h("div", {}, content));

export const failure = (error) =>
  h("div", { role: "alert" }, notice("bad", h("p", {}, error.message || String(error))));

export const loading = (text = "Loading…") => h("p", { class: "loading" }, text);

export const empty = (glyph, title, text, action = null) =>
  h("div", { class: "empty" }, icon(glyph), h("h2", {}, title), h("p", {}, text), action);

const working = new WeakSet();

/** Run an action of a button once at a time; the button says that it is busy. Errors are the caller's. */
export async function busy(button, action) {
  if (working.has(button)) return;
  working.add(button);
  // Not `disabled`: that would take the keyboard's place away.
  button.setAttribute("aria-disabled", "true");
  try {
    await action();
  } finally {
    working.delete(button);
    button.removeAttribute("aria-disabled");
  }
}

/** As `busy`; an error is said in a toast. */
export const attempt = (button, action) =>
  busy(button, async () => {
    try {
      await action();
    } catch (error) {
      toast(error.message, "bad");
    }
  });

/** Fill a place with what an action makes; meanwhile it says that it is loading, and what went wrong. */
export async function load(place, make) {
  fill(place, loading());
  try {
    fill(place, await make());
  } catch (error) {
    fill(place, failure(error));
  }
}
