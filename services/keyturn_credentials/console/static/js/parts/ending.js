import { change, CHANGED_MEANWHILE } from "../api.js";
import { h } from "../dom.js";
import { go } from "../router.js";
import { button } from "./controls.js";
import { confirm } from "./dialog.js";
import { reportChange } from "./feedback.js";

/** A row with an action's name, explanation and button. */
export function act(title, text, control) {
  return h(
    "div",
    { class: "row apart" },
    h("div", {}, h("h3", {}, title), h("p", { class: "note" }, text)),
    control,
  );
}

/** Disable or enable the object at `path`. Only disabling asks for confirmation, with its effect and what is kept. */
export function disabling({ name, enabled, path, version, consequences, text, reload }) {
  async function action() {
    const sure = !enabled || (await confirm({ title: `Disable ${name}?`, consequences, action: "Disable" }));
    if (!sure) return;
    const answer = await ifUnchanged(name, reload, () =>
      change("PUT", path, { json: { enabled: !enabled }, version }),
    );
    if (answer) await reportChange(enabled ? `${name} disabled.` : `${name} enabled.`, answer.fleet, reload);
  }
  const label = enabled ? "Disable" : "Enable";
  return act(label, text, button(label, action, { kind: enabled ? "danger calm" : "" }));
}

/** Delete the object at `path`, after confirmation, and leave its page. `typed`: a name that must be typed first. */
export function deleting({ name, what, path, version, consequences, leave, reload, typed = null }) {
  async function action() {
    const sure = await confirm({ title: `Delete ${name}?`, consequences, action: `Delete the ${what}`, typed });
    if (!sure) return;
    const answer = await ifUnchanged(name, reload, () => change("DELETE", path, { version }));
    if (!answer) return;
    reportChange(`Deleted ${name}.`, answer.fleet);
    // What was edited is deleted too: nothing to ask about.
    go(leave, { ask: false });
  }
  return act("Delete", "Permanent.", button("Delete", action, { kind: "danger calm" }));
}

/** Make a change to what the page shows. If somebody else was faster: offer to read it again. */
async function ifUnchanged(name, reload, make) {
  try {
    return await make();
  } catch (error) {
    if (error.status !== CHANGED_MEANWHILE) throw error;
    const again = await confirm({
      title: `${name} was changed meanwhile`,
      consequences: ["Nothing was done. Somebody else has changed it since you opened the page."],
      action: "Read it again",
      kind: "primary",
    });
    if (again) await reload();
    return null;
  }
}
