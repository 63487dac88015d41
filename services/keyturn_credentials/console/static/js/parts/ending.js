import { change } from "../api.js";
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
    const { fleet } = await change("PUT", path, { json: { enabled: !enabled }, version });
    await reportChange(enabled ? `${name} disabled.` : `${name} enabled.`, fleet, reload);
  }
  const label = enabled ? "Disable" : "Enable";
  return act(label, text, button(label, action, { kind: enabled ? "danger calm" : "" }));
}

/** Delete the object at `path`, after confirmation, and leave its page. */
export function deleting({ name, what, path, version, consequences, leave }) {
  async function action() {
    const sure = await confirm({ title: `Delete ${name}?`, consequences, action: `Delete the ${what}` });
    if (!sure) return;
    const { fleet } = await change("DELETE", path, { version });
    reportChange(`Deleted ${name}.`, fleet);
    go(leave);
  }
  return act("Delete", "Permanent.", button("Delete", action, { kind: "danger calm" }));
}
