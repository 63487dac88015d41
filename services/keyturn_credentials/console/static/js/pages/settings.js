import { change } from "../api.js";
import { fill, h } from "../dom.js";
import { card, checkbox, field, form, input } from "../parts/controls.js";
import { deleting, disabling } from "../parts/ending.js";
import { reportChange } from "../parts/feedback.js";
import { pagePath } from "../router.js";

const BINDINGS = [
  [
    "tls.client.certificate.bound.access.tokens",
    "Bind its access tokens to its certificate",
    "A token is then worth nothing to whoever does not present that certificate (RFC 8705).",
  ],
  [
    "dpop.bound.access.tokens",
    "Bind its access tokens to its DPoP key",
    "A token is then worth nothing without proofs signed by that key (RFC 9449).",
  ],
];

export async function settingsTab(context) {
  fill(context.body, general(context), ending(context));
}

function general({ client, version, path, reload }) {
  const attributes = client.attributes || {};
  const clientId = input(client.clientId, { required: true, maxlength: 255 });
  const name = input(client.name || "", { maxlength: 255 });
  const description = h("textarea", { rows: 2, maxlength: 1000 }, client.description || "");
  const rootUrl = input(client.rootUrl || "", { type: "url", placeholder: "https://client.example" });
  const lifespan = input(attributes["access.token.lifespan"] || "", {
    type: "number",
    min: 1,
    max: 86400,
    placeholder: "As the realm says",
  });
  const accounts = checkbox(
    "Client credentials grant",
    client.serviceAccountsEnabled,
    "It may get access tokens for itself at the token endpoint.",
  );
  const audiences = input(attributes["keyturn.audiences"] || "", { placeholder: "The realm's issuer" });
  const bindings = BINDINGS.map(([name, label, help]) => ({
    name,
    ...checkbox(label, attributes[name] === "true", help),
  }));

  async function action() {
    const json = {
      clientId: clientId.value,
      name: name.value,
      description: description.value,
      rootUrl: rootUrl.value,
      serviceAccountsEnabled: accounts.box.checked,
      attributes: {
        "access.token.lifespan": lifespan.value,
        "keyturn.audiences": audiences.value,
        ...Object.fromEntries(bindings.map(({ name, box }) => [name, box.checked ? "true" : ""])),
      },
    };
    const { fleet } = await change("PUT", path, { json, version });
    reportChange("Saved.", fleet);
    await reload();
  }
  return card(
    "Settings",
    {},
    form(
      { label: "Save", action, unsaved: true },
      field(
        "Client ID",
        clientId,
        "A new one breaks the program until it is told; the old one is refused at once.",
      ),
      field("Name", name),
      field("Description", description),
      field("Root URL", rootUrl, "A relative JWKS URL is resolved against it."),
      field("Lifetime of its access tokens, seconds", lifespan),
      field("Audiences of its access tokens", audiences, "Apart by commas."),
      accounts.line,
      bindings.map(({ line }) => line),
    ),
  );
}

function ending({ client, version, path, realm, reload }) {
  const name = client.clientId;
  const refused = "Every node refuses its credentials and its access tokens from now on.";
  return card(
    "End its access",
    {},
    disabling({
      name,
      enabled: client.enabled,
      path,
      version,
      consequences: [
        refused,
        "Nothing is lost: once it is enabled again, the same credentials work again.",
      ],
      text: client.enabled
        ? "For a while: everything is kept."
        : "Its credentials work again on every node.",
      reload,
    }),
    deleting({
      name,
      what: "client",
      path,
      version,
      consequences: [
        refused,
        "Its secrets, keys, revocations and settings are gone; there is no way back.",
        "A new client under the same ID gets new credentials. Keys revoked here are not revoked there.",
      ],
      leave: pagePath(realm, "clients"),
    }),
  );
}
