import { change } from "../api.js";
import { h } from "../dom.js";
import { go } from "../router.js";
import { button } from "./controls.js";
import { confirm } from "./dialog.js";
import { reportChange } from "./feedback.js";

/** A row that names an action, says what it does, and has its button. */
export function act(title, text, control) {
  return h(
    "div",
    { class: "row apart" },
    h("div", {}, h("h3", {}, title), h("p", { class: "note" }, text)),
    control,
  );
}

/** Disable or enable what stands at `path`. Only the first asks, and says what it refuses and what is kept. */
export function disabling({ name, enabled, path, version, consequences, text, reload }) {
  async function action() {
    const sure = !enabled || (await confirm({ title: `Disable ${name}?`, consequences, action: "Disable it" }));
    if (!sure) return;
    const { fleet } = await change("PUT", path, { json: { enabled: !enabled }, version });
    reportChange(enabled ? `${name} is refused.` : `${name} is let in again.`, fleet);
    await reload();
  }
  const label = enabled ? "Disable" : "Enable";
  return act(label, text, button(label, action, { kind: enabled ? "danger calm" : "" }));
}

/** Delete what stands at `path`, after asking, and go where it is no longer shown. */
export function deleting({ name, what, path, version, consequences, leave }) {
  async function action() {
    const sure = await confirm({ title: `Delete ${name}?`, consequences, action: `Delete the ${what}` });
    if (!sure) return;
    const { fleet } = await change("DELETE", path, { version });
    reportChange(`Deleted ${name}.`, fleet);
    go(leave);
  }
  return act("Delete", "For ever.", button("Delete", action, { kind: "danger calm" }));
}
