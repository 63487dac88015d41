// Parts that several pages use.
import { fill, freshId, h, icon } from "./dom.js";

/** Say something to everybody: on screen for some seconds, and to assistive technology. */
export function toast(text, kind = "info") {
  document.getElementById("announcements").textContent = text;
  let stack = document.querySelector(".toasts");
  if (!stack) document.body.append((stack = h("div", { class: "toasts" })));
  const note = h("div", { class: `toast ${kind}` }, icon(kind === "error" ? "warning" : "check"), h("span", {}, text));
  stack.append(note);
  setTimeout(() => note.remove(), kind === "error" ? 9000 : 5000);
}

/** Tell how far a change has come over the fleet. */
export function reportChange(what, fleet) {
  if (!fleet) return toast(what);
  if (fleet.safe) {
    const fenced = fleet.fenced ? `, ${fleet.fenced} fenced` : "";
    return toast(`${what} Safe now: ${fleet.applied} of ${fleet.nodes} nodes applied it${fenced}.`, "good");
  }
  return toast(`${what} ${fleet.pending} of ${fleet.nodes} nodes have not confirmed yet; see Fleet.`, "warning");
}

export const badge = (text, kind = "") => h("span", { class: `badge ${kind}` }, text);

export const button = (label, onclick, { kind = "", glyph, ...rest } = {}) =>
  h("button", { type: "button", class: `button ${kind}`, onclick, ...rest }, glyph ? icon(glyph) : null, label);

/** A labelled control; `help` explains it, and is read with it. */
export function field(label, control, help) {
  const id = control.id || freshId();
  control.id = id;
  if (help) control.setAttribute("aria-describedby", `${id}-help`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    help ? h("p", { class: "help", id: `${id}-help` }, help) : null,
  );
}

export const input = (value = "", properties = {}) => h("input", { type: "text", value, autocomplete: "off", ...properties });

export function select(options, chosen, properties = {}) {
  return h(
    "select",
    properties,
    options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)),
  );
}

export function checkbox(label, checked, properties = {}) {
  const box = h("input", { type: "checkbox", checked, ...properties });
  const line = h("label", { class: "check" }, box, h("span", {}, label));
  return { box, line };
}

export const card = (title, { actions, note } = {}, ...children) =>
  h(
    "section",
    { class: "card" },
    title || actions
      ? h("header", {}, h("div", {}, title ? h("h2", {}, title) : null, note ? h("p", { class: "note" }, note) : null), actions ? h("div", { class: "actions" }, actions) : null)
      : null,
    children,
  );

export const empty = (title, text, action) =>
  h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, text), action || null);

export const failure = (error) =>
  h("div", { class: "notice error", role: "alert" }, icon("warning"), h("p", {}, error.message || String(error)));

export const notice = (text, kind = "info") => h("div", { class: `notice ${kind}` }, kind === "warning" ? icon("warning") : null, h("p", {}, text));

/** A table whose cells may be elements. On a phone each row becomes a block with its column names. */
export function table(caption, columns, rows) {
  return h(
    "div",
    { class: "table", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "visually-hidden" }, caption),
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
      h(
        "tbody",
        {},
        rows.map((cells) =>
          h("tr", {}, cells.map((cell, index) => h("td", { "data-label": columns[index] }, cell === null || cell === undefined || cell === "" ? h("span", { class: "none" }, "–") : cell))),
        ),
      ),
    ),
  );
}

export const code = (text) => h("code", {}, text);

/** Text that is worth copying, with a button that does it. */
export function copyable(text, label) {
  return h(
    "span",
    { class: "copyable" },
    h("code", { title: text }, text),
    h(
      "button",
      {
        type: "button",
        class: "bare",
        "aria-label": `Copy ${label}`,
        onclick: async () => {
          await navigator.clipboard.writeText(text);
          toast(`Copied ${label}.`);
        },
      },
      icon("copy"),
    ),
  );
}

/** Ask before something that breaks something. Resolves to true when confirmed. */
export function confirm({ title, consequences, action, kind = "danger", body = null }) {
  return new Promise((resolve) => {
    const heading = freshId();
    const dialog = h(
      "dialog",
      { "aria-labelledby": heading, onclose: () => { dialog.remove(); resolve(dialog.returnValue === "yes"); } },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: heading }, title),
        h("ul", { class: "consequences" }, consequences.map((line) => h("li", {}, line))),
        body,
        h("div", { class: "actions end" }, h("button", { class: "button", value: "no" }, "Cancel"), h("button", { class: `button ${kind}`, value: "yes" }, action)),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A secret: hidden until asked for. `reveal` fetches it only then. */
export function hiddenSecret(reveal, label) {
  const place = h("span", { class: "copyable" });
  const hide = () =>
    fill(place, h("code", { "aria-label": `${label}, hidden` }, "••••••••••••••••"), button("Reveal", show, { kind: "small", glyph: "eye" }));
  async function show() {
    try {
      const value = await reveal();
      fill(place, copyable(value, label), button("Hide", hide, { kind: "small" }));
    } catch (error) {
      toast(error.message, "error");
    }
  }
  hide();
  return place;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** A moment as a person says it, with the exact time to see on it. Takes seconds since 1970. */
export function moment(seconds) {
  if (!seconds) return null;
  const distance = seconds - Date.now() / 1000;
  const [unit, size] =
    [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]].find(([, length]) => Math.abs(distance) >= length) || ["second", 1];
  const exact = new Date(seconds * 1000).toISOString();
  return h("time", { datetime: exact, title: exact }, relative.format(Math.round(distance / size), unit));
}

/** Give the browser bytes to save. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Run an action of a form: the button is busy meanwhile, an error is said and shown. */
export async function busy(element, action) {
  element.setAttribute("aria-busy", "true");
  element.setAttribute("disabled", "");
  try {
    return await action();
  } catch (error) {
    toast(error.message, "error");
    return undefined;
  } finally {
    element.removeAttribute("aria-busy");
    element.removeAttribute("disabled");
  }
}
