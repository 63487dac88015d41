import { change } from "../api.js";
import { fill, h } from "../dom.js";
import { card, checkbox, field, form, input } from "../parts/controls.js";
import { deleting, disabling } from "../parts/ending.js";
import { reportChange } from "../parts/feedback.js";
import { pagePath } from "../router.js";

const BINDINGS = [
  [
    "tls.client.certificate.bound.access.tokens",
    "Bind access tokens to the client's certificate",
    "A token is then useless without that certificate (RFC 8705).",
  ],
  [
    "dpop.bound.access.tokens",
    "Bind access tokens to the client's DPoP key",
    "A token is then useless without proofs signed by that key (RFC 9449).",
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
    placeholder: "Realm default",
  });
  const accounts = checkbox(
    "Client credentials grant",
    client.serviceAccountsEnabled,
    "The client can get access tokens for itself at the token endpoint.",
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
    await reportChange("Saved.", fleet, reload);
  }
  return card(
    "Settings",
    {},
    form(
      { label: "Save", action, unsaved: true },
      field(
        "Client ID",
        clientId,
        "Changing it breaks the client until it is reconfigured.",
      ),
      field("Name", name),
      field("Description", description),
      field("Root URL", rootUrl, "A relative JWKS URL is resolved against it."),
      field("Access token lifespan (s)", lifespan),
      field("Access token audiences", audiences, "Separate with commas."),
      accounts.line,
      bindings.map(({ line }) => line),
    ),
  );
}

function ending({ client, version, path, realm, reload }) {
  const name = client.clientId;
  const refused = "Every node rejects its credentials and access tokens from now on.";
  return card(
    "Disable or delete",
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
        ? "Temporarily blocks the client."
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
        "Its secrets, keys, revocations and settings are deleted. This cannot be undone.",
        "A new client with the same ID gets new credentials, and keys revoked here are not revoked for it.",
      ],
      leave: pagePath(realm, "clients"),
    }),
  );
}
