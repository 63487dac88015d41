import { signIn } from "../api.js";
import { busy, field, input } from "../components.js";
import { fill, h } from "../dom.js";

export function showSignIn(app, entered, message) {
  document.title = "Sign in · keyturn";
  const realm = input("master", { name: "realm", required: true, autocomplete: "organization" });
  const clientId = input("", { name: "client_id", required: true, autocomplete: "username", autofocus: true });
  const secret = input("", { name: "client_secret", type: "password", required: true, autocomplete: "current-password" });
  const submit = h("button", { class: "button primary wide" }, "Sign in");
  fill(
    app,
    h(
      "main",
      { class: "signin", id: "main" },
      h("img", { src: "/console/static/icon.svg", alt: "", width: 48, height: 48 }),
      h("h1", {}, "Sign in to keyturn"),
      message ? h("p", { class: "notice info", role: "alert" }, message) : null,
      h(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            busy(submit, async () => entered(await signIn({ realm: realm.value, client_id: clientId.value, client_secret: secret.value })));
          },
        },
        field("Client ID", clientId, "The admin client printed at the first start."),
        field("Client secret", secret),
        h("details", {}, h("summary", {}, "Another realm"), field("Realm", realm)),
        submit,
      ),
    ),
  );
  clientId.focus();
}
