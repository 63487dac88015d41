// The current realm, the way to others, and creating one.
import { change, get } from "../api.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { go, link, pagePath } from "../router.js";
import { button, field, form, input } from "./controls.js";
import { openDialog } from "./dialog.js";
import { load, reportChange } from "./feedback.js";

export function realmChoice(current) {
  const list = h("div", {});
  const close = () => (choice.open = false);
  const choice = h(
    "details",
    {
      class: "realms",
      ontoggle: () => choice.open && load(list, () => realms(current, close)),
      onkeydown: (event) => {
        if (event.key !== "Escape" || !choice.open) return;
        close();
        choice.querySelector("summary").focus();
      },
      onfocusout: (event) =>
        choice.open && event.relatedTarget && !choice.contains(event.relatedTarget) && close(),
    },
    h("summary", { "aria-label": `Realm ${current}, choose another` }, h("span", {}, current), icon("down")),
    list,
  );
  return choice;
}

async function realms(current, close) {
  const names = (await get("/admin/realms")).map((realm) => realm.realm);
  const entry = (name) =>
    h("li", {}, link(pagePath(name, "clients"), name, { "aria-current": name === current && "true" }));
  const add = () => {
    close();
    create();
  };
  return [
    h("ul", { "aria-label": "Realms" }, names.map(entry)),
    h("button", { type: "button", class: "add", onclick: add }, icon("plus"), "New realm"),
  ];
}

function create() {
  openDialog("New realm", (close) => {
    const name = input("", { required: true, maxlength: 255, pattern: "[A-Za-z0-9][A-Za-z0-9._~\\-]*" });
    const action = async () => {
      const { fleet } = await change("POST", "/admin/realms", { json: { realm: name.value, enabled: true } });
      close();
      reportChange(`Realm ${name.value} created.`, fleet);
      go(pagePath(name.value, "clients"));
    };
    return form(
      { label: "Create", action, others: button("Cancel", close) },
      field(
        "Name",
        name,
        "Letters, digits, '.', '_', '~' and '-'. It is part of the issuer URL and cannot be changed later.",
      ),
    );
  });
}
