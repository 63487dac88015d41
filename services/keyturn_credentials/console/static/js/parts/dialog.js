// Dialogs: the browser's own, which trap the focus. The opener may be rebuilt meanwhile.
import { freshId, h, wayBack } from "../dom.js";

/** Open a dialog; `build(close)` makes its content. It is removed from the document once closed. */
export function openDialog(title, build) {
  const heading = freshId();
  const goBack = wayBack();
  const dialog = h("dialog", {
    "aria-labelledby": heading,
    onclose: () => {
      dialog.remove();
      goBack();
    },
  });
  const close = () => dialog.close();
  dialog.append(h("div", { class: "body" }, h("h2", { id: heading }, title), ...[build(close)].flat()));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Ask for confirmation of a destructive action. Resolves to true when confirmed.
 * `typed`: a name that must be typed first.
 */
export function confirm({ title, consequences, action, kind = "danger", body = null, typed = null }) {
  const lines = consequences.filter(Boolean);
  return new Promise((resolve) => {
    const dialog = openDialog(title, () => {
      const yes = h("button", { class: `button ${kind}`, value: "yes", disabled: typed !== null }, action);
      return h(
        "form",
        { method: "dialog" },
        lines.length > 0 &&
          h(
            "ul",
            { class: "consequences" },
            lines.map((line) => h("li", {}, line)),
          ),
        body,
        typed !== null && typedName(typed, (isRight) => (yes.disabled = !isRight)),
        h(
          "div",
          { class: "row end" },
          h("button", { class: "button", value: "no", autofocus: true }, "Cancel"),
          yes,
        ),
      );
    });
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}

/** A field for a name that must be typed; `told` whether it is right. Enter does not confirm. */
function typedName(name, told) {
  const id = freshId();
  const control = h("input", {
    id,
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => told(control.value === name),
    onkeydown: (event) => event.key === "Enter" && event.preventDefault(),
  });
  return h("div", { class: "field" }, h("label", { for: id }, "Type ", h("code", {}, name), " to confirm"), control);
}
