import { h } from "../dom.js";

/** Enabled or disabled, as a lamp with a word. */
export const state = (enabled) =>
  h(
    "span",
    { class: "state" },
    h("span", { class: enabled ? "lamp good" : "lamp" }),
    enabled ? "Enabled" : "Disabled",
  );
