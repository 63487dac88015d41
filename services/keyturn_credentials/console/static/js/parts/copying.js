// Text to copy, secrets that are hidden until requested, and files to save.
import { fill, h } from "../dom.js";
import { button, iconButton } from "./controls.js";
import { toast } from "./feedback.js";

const HIDDEN = "•".repeat(20);

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    throw new Error("The browser does not allow this page to copy. Select the text and copy it manually.");
  }
  toast(`Copied the ${what}.`);
}

/** Text with a button that copies it; `what` names it for people. */
export const copyable = (text, what, { whole = false } = {}) =>
  h(
    "span",
    { class: whole ? "copyable whole" : "copyable" },
    h("code", { title: whole ? null : text }, text),
    iconButton("copy", `Copy the ${what}`, () => copy(text, what)),
  );

/** A button that copies a text which is shown elsewhere. */
export const copyButton = (text, what) => button(`Copy the ${what}`, () => copy(text, what), { glyph: "copy" });

/** A secret: hidden until requested. `reveal` fetches it only then. */
export function hiddenSecret(reveal, what) {
  const place = h("span", { class: "row" });
  function hide() {
    const dots = h("code", { class: "secret", role: "img", "aria-label": `${what}, hidden` }, HIDDEN);
    fill(
      place,
      dots,
      button("Reveal", show, { kind: "little", glyph: "eye", "aria-label": `Reveal the ${what}` }),
    );
  }
  async function show() {
    const value = await reveal();
    const shown = h("span", { class: "secret" }, copyable(value, what, { whole: true }));
    fill(place, shown, button("Hide", hideAgain, { kind: "little", "aria-label": `Hide the ${what}` }));
    place.querySelector(".bare").focus();
  }
  function hideAgain() {
    hide();
    place.querySelector("button").focus();
  }
  hide();
  return place;
}

/** Offer bytes as a download. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const anchor = h("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
