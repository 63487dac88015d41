import { h, refill } from "../dom.js";
import { card, input } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
import { checkEntry, editor, entry, isChanged } from "../parts/edits.js";
import { deleting, disabling } from "../parts/ending.js";
import { isOwn, LOCKED_OUT, ofOwn, ownNotice } from "../parts/own.js";
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
  refill(context.body, ownNotice(context, context.client), general(context), ending(context));
}

function general(context) {
  const { client } = context;
  const attributes = client.attributes || {};
  const entries = [
    entry(
      "clientId",
      "Client ID",
      input(client.clientId, { required: true, maxlength: 255 }),
      "Changing it breaks the client until it is reconfigured.",
    ),
    entry("name", "Name", input(client.name || "", { maxlength: 255 })),
    entry("description", "Description", h("textarea", { rows: 2, maxlength: 1000 }, client.description || "")),
    entry(
      "rootUrl",
      "Root URL",
      input(client.rootUrl || "", { type: "url", placeholder: "https://client.example" }),
      "A relative JWKS URL is resolved against it.",
    ),
    entry(
      "attributes.access.token.lifespan",
      "Access token lifespan (s)",
      input(attributes["access.token.lifespan"] || "", {
        type: "number",
        min: 1,
        max: 86400,
        placeholder: "Realm default",
      }),
    ),
    entry(
      "attributes.keyturn.audiences",
      "Access token audiences",
      input(attributes["keyturn.audiences"] || "", { placeholder: "The realm's issuer" }),
      "Separate with commas.",
    ),
    checkEntry(
      "serviceAccountsEnabled",
      "Client credentials grant",
      client.serviceAccountsEnabled,
      "The client can get access tokens for itself at the token endpoint.",
      [true, false],
    ),
    ...BINDINGS.map(([name, label, help]) =>
      checkEntry(`attributes.${name}`, label, attributes[name] === "true", help),
    ),
  ];
  const [id, , , , , , grant] = entries;

  /** What ends the user's own session is confirmed. */
  async function before() {
    const ends = isChanged(id) || (isChanged(grant) && !grant.value());
    if (!ends || !isOwn(context, client)) return true;
    return confirm({
      title: `Change ${client.clientId}?`,
      consequences: [ofOwn(context, client, LOCKED_OUT)],
      action: "Change",
    });
  }
  return card(
    "Settings",
    {},
    editor(
      { ...context, entries: () => entries, before },
      entries.map(({ element }) => element),
    ),
  );
}

function ending(context) {
  const { client, version, path, realm, reload } = context;
  const own = ofOwn(context, client, LOCKED_OUT);
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
        own,
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
        own,
      ],
      leave: pagePath(realm, "clients"),
      reload,
    }),
  );
}
