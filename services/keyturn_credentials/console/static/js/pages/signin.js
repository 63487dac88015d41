import { resumeSession, signIn, waysToSignIn } from "../api.js";
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

/**
 * The page without a session. `entered` gets the session. `lost`: the one that ended, to sign in again. `keeps`: the
 * tab has something that is not saved, so the provider's pages open in another one.
 */
export async function showSignIn(app, entered, message = null, lost = null, keeps = false) {
  live.follow(null);
  document.querySelectorAll("dialog:not([data-lasting])").forEach((dialog) => dialog.close());
  document.title = "Sign in · keyturn";
  const { provider, client_secret: bySecret } = await waysToSignIn();
  const byProvider = provider && providerLink(provider, entered, keeps);
  const secret = bySecret && secretForm(entered, lost, provider ? "wide" : "primary wide");
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
        byProvider,
        byProvider && secret && h("p", { class: "or" }, "or as a client"),
        secret?.form,
      ),
      h(
        "p",
        { class: "quiet small" },
        bySecret ? "The first administrator and a one-time sign-in link are printed by " : "A one-time sign-in link is printed by ",
        h("code", {}, "keyturn up"),
        ". A new link: ",
        h("code", {}, "keyturn console"),
        ".",
      ),
    ),
  );
  (secret && (lost?.client_id || !byProvider) ? secret.first : byProvider)?.focus();
}

/** The way through the identity provider, back to the current page. */
function providerLink(provider, entered, keeps) {
  const query = new URLSearchParams({ return_to: keeps ? "/console/" : location.pathname + location.search });
  const link = h(
    "a",
    {
      class: "button primary wide",
      href: `/console/oidc/sign-in?${query}`,
      ...(keeps ? { target: "_blank", rel: "noopener" } : {}),
    },
    `Sign in with ${provider.name}`,
  );
  if (keeps) {
    // The user comes back to this tab with the session of the other one.
    const back = async () => {
      if (!link.isConnected) return removeEventListener("focus", back);
      const session = await resumeSession().catch(() => null);
      if (session && link.isConnected) {
        removeEventListener("focus", back);
        entered(session);
      }
      return undefined;
    };
    addEventListener("focus", back);
  }
  return link;
}

function secretForm(entered, lost, kind) {
  const realm = input((!lost?.person && lost?.realm) || "master", { name: "realm", required: true });
  const clientId = input(lost?.client_id || "", { name: "client_id", required: true, autocomplete: "username" });
  const secret = input("", {
    name: "client_secret",
    type: "password",
    required: true,
    autocomplete: "current-password",
  });
  const action = async () =>
    entered(await signIn({ realm: realm.value, client_id: clientId.value, client_secret: secret.value }));
  return {
    first: lost?.client_id ? secret : clientId,
    form: form(
      { label: "Sign in", action, kind },
      field("Client ID", clientId),
      field("Client secret", secret),
      h("details", {}, h("summary", {}, "Other realm"), h("div", {}, field("Realm", realm))),
    ),
  };
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
