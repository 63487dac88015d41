// Buttons, fields and forms.
import { fill, freshId, h } from "../dom.js";
import { icon } from "../icons.js";
import { announce, attempt, busy, failure } from "./feedback.js";

/**
 * A button whose action may take a while; an error is shown in a toast.
 * @param {string} label
 * @param {(event: Event) => unknown} action
 * @param {{kind?: string, glyph?: string | null, [attribute: string]: unknown}} [options]
 */
export function button(label, action, { kind = "", glyph = null, ...rest } = {}) {
  const onclick = (event) => attempt(event.currentTarget, () => action(event));
  return h(
    "button",
    { type: "button", class: `button ${kind}`, onclick, ...rest },
    glyph && icon(glyph),
    label,
  );
}

/** A button with only an icon; `label` is its accessible name. */
export const iconButton = (glyph, label, action) =>
  h(
    "button",
    {
      type: "button",
      class: "bare",
      "aria-label": label,
      title: label,
      onclick: (event) => attempt(event.currentTarget, action),
    },
    icon(glyph),
  );

/** A labelled control; `help` explains it, and screen readers read it along. */
export function field(label, control, help = null) {
  control.id ||= freshId();
  if (help) control.setAttribute("aria-describedby", `${control.id}-help`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    help && h("p", { class: "help", id: `${control.id}-help` }, help),
  );
}

/** Say below a control what is wrong with it; null: nothing. Screen readers read it along. */
export function setProblem(control, text) {
  control.parentElement.querySelector(`#${control.id}-problem`)?.remove();
  const others = (control.getAttribute("aria-describedby") || "").split(" ").filter((id) => /-help$/.test(id));
  if (text) {
    const id = `${control.id}-problem`;
    control.insertAdjacentElement("afterend", h("p", { class: "problem", id }, text));
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", [id, ...others].join(" "));
  } else {
    control.removeAttribute("aria-invalid");
    if (others.length) control.setAttribute("aria-describedby", others.join(" "));
    else control.removeAttribute("aria-describedby");
  }
}

export const input = (value = "", properties = {}) =>
  h("input", { type: "text", value, autocomplete: "off", spellcheck: "false", ...properties });

/** Options are `[value, label]`, or values that are their own labels. */
export function select(options, chosen, properties = {}) {
  const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  const known = pairs.some(([value]) => value === chosen);
  const all = known || !chosen ? pairs : [[chosen, chosen], ...pairs];
  return h(
    "select",
    { ...properties, value: chosen },
    all.map(([value, label]) => h("option", { value }, label)),
  );
}

/** `{box, line}`: a checkbox, and the line with its label and help. */
export function checkbox(label, checked, help = null) {
  const box = h("input", { type: "checkbox", checked });
  const words = h("span", {}, label, help && h("small", { class: "help" }, help));
  return { box, line: h("label", { class: "check" }, box, words) };
}

/** A choice of one, with an explanation of each. `options`: `[value, label, help]`. */
export function choices(legend, options, chosen, onchange) {
  const name = freshId();
  const chosenNow = (event) => onchange(event.target.value);
  return h(
    "fieldset",
    {},
    h("legend", {}, legend),
    h(
      "div",
      { class: "choices" },
      options.map(([value, label, help]) =>
        h(
          "label",
          { class: "choice" },
          h("input", { type: "radio", name, value, checked: value === chosen, onchange: chosenNow }),
          h("span", {}, label, h("small", {}, help)),
        ),
      ),
    ),
  );
}

/**
 * A form that sends itself by `action`: its button is busy meanwhile, an error is shown above the button.
 * `unsaved`: say when something in it is not saved yet, and send nothing that has not changed. `changed()` tells whether
 * it has; by default, by what its controls contain. `whenEdited` is told too. `discard` undoes the changes.
 * `novalidate`: the action checks what is filled in. `asks`: it confirms something, so the way out comes first.
 */
export function form(
  {
    label,
    action,
    kind = "primary",
    others = [],
    unsaved = false,
    changed = null,
    whenEdited = null,
    discard = null,
    full = false,
    look = full ? "stack full" : "stack",
    novalidate = false,
    asks = false,
  },
  ...content
) {
  const problem = h("div", {});
  const state = h("span", { class: "unsaved", role: "status" });
  const submit = h("button", { class: `button ${kind}` }, label);
  const undo = discard && button("Discard", discard, { hidden: true, "aria-label": "Discard the changes" });
  let isEdited = false;
  const isIdle = () => unsaved && !isEdited;

  function update() {
    if (!unsaved) return;
    isEdited = changed ? changed() : contentOf(element) !== first;
    element.toggleAttribute("data-unsaved", isEdited);
    state.textContent = isEdited ? "Not saved yet" : "";
    if (undo) undo.hidden = !isEdited;
    // Not `disabled`, which would lose the focus.
    submit.toggleAttribute("data-idle", isIdle());
    if (isIdle()) submit.setAttribute("aria-disabled", "true");
    else submit.removeAttribute("aria-disabled");
    whenEdited?.(isEdited);
  }

  const element = h(
    "form",
    {
      class: look,
      novalidate,
      onsubmit: (event) => {
        event.preventDefault();
        if (isIdle()) return announce("Nothing has changed.");
        fill(problem);
        return busy(submit, async () => {
          try {
            await action();
            element.removeAttribute("data-unsaved");
            state.textContent = "";
          } catch (error) {
            fill(problem, failure(error));
          }
        });
      },
      oninput: update,
      onchange: update,
    },
    content,
    problem,
    asks
      ? h("div", { class: "row end" }, others, submit)
      : h("div", { class: "row" }, submit, undo, others, state),
  );
  const first = contentOf(element);
  update();
  return element;
}

/** What the controls of a form contain, as one text. */
const contentOf = (element) =>
  JSON.stringify([...element.elements].map((each) => (/^(checkbox|radio)$/.test(each.type) ? each.checked : each.value)));

export const card = (title, { actions = null, note = null, ...rest } = {}, ...children) =>
  h(
    "section",
    { class: "card", ...rest },
    title &&
      h(
        "header",
        {},
        h("div", {}, h("h2", {}, title), note && h("p", { class: "note" }, note)),
        actions && h("div", { class: "row" }, actions),
      ),
    children,
  );

/** Names and values; those without a value are left out. */
export const facts = (...pairs) =>
  h(
    "dl",
    { class: "facts" },
    pairs.filter(Boolean).map(([name, ...values]) => h("div", {}, h("dt", {}, name), h("dd", {}, values))),
  );

/** The head of a page. */
export const head = (title, lead, actions = null) =>
  h(
    "header",
    { class: "head" },
    h("div", {}, h("h1", { tabindex: "-1" }, title), lead && h("p", { class: "lead" }, lead)),
    actions && h("div", { class: "row" }, actions),
  );
