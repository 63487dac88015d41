// Editing what others may change too: one Save, what is not saved yet, and what differs if somebody else was faster.
import { change, CHANGED_MEANWHILE } from "../api.js";
import { h } from "../dom.js";
import { button, checkbox, field, form } from "./controls.js";
import { notice, reportChange } from "./feedback.js";
import { table } from "./table.js";

const ATTRIBUTES = "attributes.";
const LONGEST = 120;

/**
 * One value that can be edited. `name`: the member that it is, `attributes.…` for an attribute. `first`: as the page
 * showed it; `stored`: as the server has it, if that differs.
 * @typedef {{name: string, label: string, first: any, stored: any, value: () => any, set: (value: any) => void,
 *   text?: (value: any) => string, element?: any, members?: () => Record<string, any>}} Entry
 */

/**
 * A text, number or choice, as a labelled field.
 * @param {string} name @param {string} label @param {any} control @param {string | null} [help]
 * @param {{stored?: string | null, write?: (text: string) => any}} [options] `write`: from the control to the member
 * @returns {Entry & {control: any}}
 */
export function entry(name, label, control, help = null, { stored = null, write = null } = {}) {
  const labels = [...(control.options || [])].map((option) => [option.value, option.textContent]);
  const first = control.value;
  return {
    name,
    label,
    control,
    first,
    stored: stored ?? first,
    element: field(label, control, help),
    value: () => control.value,
    set: (value) => {
      control.value = value;
      control.dispatchEvent(new Event("change", { bubbles: true }));
    },
    text: (value) => labels.find(([known]) => known === value)?.[1] ?? value,
    ...(write && { members: () => ({ [name]: write(control.value) }) }),
  };
}

/**
 * A checkbox. `words`: how yes and no are written.
 * @param {string} name @param {string} label @param {boolean} checked @param {string | null} [help] @param {any[]} [words]
 * @returns {Entry}
 */
export function checkEntry(name, label, checked, help = null, words = ["true", ""]) {
  const { box, line } = checkbox(label, checked, help);
  return {
    name,
    label,
    first: checked,
    stored: checked,
    element: line,
    value: () => box.checked,
    set: (value) => {
      box.checked = value;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    },
    text: (value) => (value ? "Yes" : "No"),
    members: () => ({ [name]: words[box.checked ? 0 : 1] }),
  };
}

export const isChanged = (each) => each.value() !== each.first;

/** What is edited on a page. `take()`: the edits that are not saved yet, for `kept` of the same editor; or null. */
export const newDraft = () => ({ take: () => null });

/**
 * A form for the entries, with one button that saves them all.
 *
 * `entries()`: those that are shown now. `before()`: asks for confirmation; false stops. `kept`: edits of the page that
 * was read again: they are made anew, and what others have changed is shown. `reload` reads the page again.
 * `whenEdited` is told whether something is unsaved.
 */
export function editor(
  { draft, kept, path, version, entries, before = async () => true, reload, whenEdited = null, ...look },
  ...content
) {
  const unsaved = () => entries().some(isChanged);
  draft.take = () => (unsaved() ? editsOf(entries()) : null);
  const discard = () => {
    draft.take = () => null;
    return reload();
  };

  async function action() {
    if (!(await before())) throw new Error("Nothing was saved.");
    const { fleet } = await change("PUT", path, { json: jsonOf(entries()), version }).catch((error) => {
      throw error.status === CHANGED_MEANWHILE ? meanwhile(reload) : error;
    });
    draft.take = () => null;
    await reportChange("Saved.", fleet, reload);
  }

  const differing = kept ? restore(kept, entries) : null;
  return form(
    { label: "Save", action, unsaved: true, changed: unsaved, whenEdited, discard, ...look },
    differing,
    content,
  );
}

/** The error that says so, with the way on. */
export const meanwhile = (reload) =>
  Object.assign(
    new Error("Somebody else has changed this since you opened the page. Nothing was saved. Your changes are still here."),
    { way: button("Read it again", reload) },
  );

const editsOf = (entries) =>
  Object.fromEntries(
    entries.map((each) => [each.name, { label: each.label, base: each.first, mine: each.value() }]),
  );

function jsonOf(entries) {
  const json = {};
  const sent = entries.filter((each) => each.value() !== each.stored || isChanged(each));
  for (const each of sent)
    for (const [name, value] of Object.entries(each.members ? each.members() : { [each.name]: each.value() })) {
      if (name.startsWith(ATTRIBUTES)) (json.attributes ||= {})[name.slice(ATTRIBUTES.length)] = value;
      else json[name] = value;
    }
  return json;
}

/** Make the edits anew. Returns what others have changed, as a table; null for nothing. */
function restore(kept, entries) {
  const find = (name) => entries().find((each) => each.name === name);
  for (const [name, { base, mine }] of Object.entries(kept)) if (mine !== base) find(name)?.set(mine);
  return differences(
    Object.entries(kept).flatMap(([name, { label, base, mine }]) => {
      const found = find(name);
      const text = (value) => short(found?.text ? found.text(value) : value);
      return found && found.first !== base
        ? [[label, text(base), text(found.first), mine === base ? null : text(mine)]]
        : [];
    }),
  );
}

/** What the controls of a form contain, for `restoreControls` in a form that was built again in the same way. */
export const controlsOf = (form) =>
  [...form.elements].filter(({ type }) => type !== "submit" && type !== "button" && type !== "fieldset");

/**
 * Fill in anew what was edited. `kept`: label, `base` and `mine` of each control. Returns what others have changed, as
 * a table, or false.
 */
export function restoreControls(form, kept) {
  const controls = controlsOf(form);
  const rows = [];
  for (const [index, { label, base, mine }] of kept.entries()) {
    const control = controls[index];
    const text = (value) => [...(control.options || [])].find((each) => each.value === value)?.textContent ?? value;
    if (control.value !== base) rows.push([label, text(base), text(control.value), mine === base ? null : text(mine)]);
    if (mine !== base) {
      control.value = mine;
      control.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  return differences(rows);
}

/** The label of a control. */
export const labelOf = (control) => control.labels?.[0]?.textContent || control.name;

/** `rows`: field, before, now, and what the user made of it. */
export const differences = (rows) =>
  rows.length > 0 &&
  h(
    "div",
    { class: "pile tight", role: "status" },
    notice(
      "warning",
      h("p", {}, "This is what others have changed since you opened the page."),
      h("p", {}, "Your own changes are filled in again and not saved yet. Check them, then save."),
    ),
    table("Differences", ["Field", "When you opened it", "Now", "Yours"], rows),
  );

const short = (value) => {
  const text = String(value ?? "");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};
