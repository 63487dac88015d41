import { h } from "../dom.js";

/** Whether something is let in, as a lamp with a word. */
export const state = (enabled) =>
  h(
    "span",
    { class: "state" },
    h("span", { class: enabled ? "lamp good" : "lamp" }),
    enabled ? "Enabled" : "Disabled",
  );
