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

/** Ask for confirmation of a destructive action. Resolves to true when confirmed. */
export function confirm({ title, consequences, action, kind = "danger", body = null }) {
  const lines = consequences.filter(Boolean);
  return new Promise((resolve) => {
    const dialog = openDialog(title, () =>
      h(
        "form",
        { method: "dialog" },
        lines.length > 0 &&
          h(
            "ul",
            { class: "consequences" },
            lines.map((line) => h("li", {}, line)),
          ),
        body,
        h(
          "div",
          { class: "row end" },
          h("button", { class: "button", value: "no", autofocus: true }, "Cancel"),
          h("button", { class: `button ${kind}`, value: "yes" }, action),
        ),
      ),
    );
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}
