import { signIn } from "../api.js";
import { fill, h } from "../dom.js";
import { live } from "../live.js";
import { field, form, input } from "../parts/controls.js";
import { failure, notice } from "../parts/feedback.js";

const brand = () =>
  h(
    "p",
    { class: "brand" },
    h("img", { src: "/console/static/icon.svg", alt: "", width: 32, height: 32 }),
    "keyturn",
  );

/** The page without a session. `entered` gets the session. */
export function showSignIn(app, entered, message = null) {
  live.follow(null);
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  document.title = "Sign in · keyturn";
  const realm = input("master", { name: "realm", required: true });
  const clientId = input("", { name: "client_id", required: true, autocomplete: "username" });
  const secret = input("", {
    name: "client_secret",
    type: "password",
    required: true,
    autocomplete: "current-password",
  });
  const action = async () =>
    entered(await signIn({ realm: realm.value, client_id: clientId.value, client_secret: secret.value }));
  fill(
    app,
    h(
      "main",
      { class: "signin", id: "main" },
      brand(),
      h(
        "div",
        { class: "card" },
        h("h1", {}, "Sign in"),
        message && h("div", { role: "alert" }, notice("warning", h("p", {}, message))),
        form(
          { label: "Sign in", action, kind: "primary wide" },
          field("Client ID", clientId),
          field("Client secret", secret),
          h(
            "details",
            {},
            h("summary", {}, "Other realm"),
            h("div", {}, field("Realm", realm)),
          ),
        ),
      ),
      h(
        "p",
        { class: "quiet small" },
        "The first administrator and a one-time sign-in link are printed by ",
        h("code", {}, "keyturn up"),
        ". A new link: ",
        h("code", {}, "keyturn console"),
        ".",
      ),
    ),
  );
  clientId.focus();
}

/** Shown when the server cannot even tell whether there is a session. */
export const showTrouble = (error, again) =>
  h(
    "main",
    { class: "signin", id: "main" },
    brand(),
    h(
      "div",
      { class: "card" },
      h("h1", {}, "No connection"),
      failure(error),
      h("button", { class: "button primary", type: "button", onclick: again }, "Try again"),
    ),
  );
