// The Connect tab of a client: where it has to go, and how, in the language that it is written in.
import { authenticator } from "../authenticators.js";
import { get, send } from "../api.js";
import { fill, h, refill } from "../dom.js";
import { button, card, facts, field, select } from "../parts/controls.js";
import { copyable, copyButton, save } from "../parts/copying.js";
import { empty, notice } from "../parts/feedback.js";
import { kindOf } from "../snippets/kinds.js";
import { ADAPTER, LANGUAGES, snippetOf } from "../snippets/languages.js";

const MASK = "**********";

export async function connectTab(context) {
  const { client, body, realm } = context;
  if (client.publicClient || client.bearerOnly)
    return fill(body, card(null, {}, empty("key", "No credentials", "This client does not get tokens with credentials of its own.")));
  const [{ metadata, problem }, keys] = await Promise.all([
    endpoints(realm),
    get(`${context.path}/keys`).catch(() => []),
  ]);
  const keyId = keys.find((key) => key.kid && !key.revoked_at)?.kid || null;
  return refill(
    body,
    !client.serviceAccountsEnabled &&
      notice("warning", h("p", {}, "Its client credentials grant is off: it gets no tokens. See Settings.")),
    addresses(realm, metadata, problem),
    code({ ...context, metadata, keyId }),
  );
}

/** The metadata of the realm's endpoints; where nothing answers, what it would say about their addresses. */
async function endpoints(realm) {
  const issuer = `${location.origin}/realms/${encodeURIComponent(realm)}`;
  try {
    return { metadata: await get(`${issuer}/.well-known/openid-configuration`), problem: null };
  } catch (error) {
    const path = `${issuer}/protocol/openid-connect`;
    const metadata = {
      issuer,
      token_endpoint: `${path}/token`,
      introspection_endpoint: `${path}/token/introspect`,
      revocation_endpoint: `${path}/revoke`,
      jwks_uri: `${path}/certs`,
    };
    return { metadata, problem: error };
  }
}

function addresses(realm, metadata, problem) {
  const address = (url, what) => copyable(url, what, { whole: true });
  const aliases = metadata.mtls_endpoint_aliases;
  return card(
    "Addresses",
    { note: `The endpoints of realm ${realm}. A library that takes an issuer finds the others by itself.` },
    problem &&
      notice(
        "warning",
        h("p", {}, "No node answers for this realm under the address of this console. These are the usual addresses, and they can be different ones."),
      ),
    facts(
      ["Issuer", address(metadata.issuer, "issuer")],
      ["Token endpoint", address(metadata.token_endpoint, "token endpoint")],
      aliases && ["Token endpoint for certificates", address(aliases.token_endpoint, "token endpoint for certificates")],
      ["Discovery", address(`${metadata.issuer}/.well-known/openid-configuration`, "address of the discovery document")],
      ["JWKS of the realm", address(metadata.jwks_uri, "JWKS URL of the realm")],
      ["Introspection", address(metadata.introspection_endpoint, "introspection endpoint")],
      ["Revocation", address(metadata.revocation_endpoint, "revocation endpoint")],
    ),
  );
}

function code({ client, path, realm, metadata, keyId }) {
  const kind = kindOf(client);
  const language = select(LANGUAGES.map(({ id, label }) => [id, label]), LANGUAGES[0].id);
  const place = h("div", { class: "pile tight" });
  let secret = null;

  function show() {
    const { text, note } = snippetOf(language.value, { client, realm, metadata, kind, keyId, secret });
    fill(
      place,
      note && h("p", { class: "note" }, note),
      h("pre", { class: "snippet", tabindex: "0", role: "region", "aria-label": "Snippet" }, h("code", {}, text)),
      h(
        "div",
        { class: "row" },
        copyButton(text, "snippet"),
        kind.hasSecret && canSee && button(secret ? "Hide the secret" : "Fill in the secret", toggle),
        language.value === ADAPTER && button("Download with its credentials", download, { glyph: "download" }),
      ),
    );
  }
  async function toggle() {
    secret = secret ? null : (await get(`${path}/client-secret`)).value;
    show();
  }
  async function download() {
    const response = await send("GET", `${path}/installation/providers/keycloak-oidc-keycloak-json`);
    save(await response.blob(), "keycloak.json");
  }
  const canSee = client.secret && client.secret !== MASK;
  language.addEventListener("change", show);
  show();
  return card(
    "Get a token",
    { note: `${authenticator(client.clientAuthenticatorType).label}. ${kind.needs}` },
    h("div", { class: "columns" }, field("Language", language)),
    client.optionalClientScopes?.length > 0 &&
      h(
        "p",
        { class: "note" },
        "Tokens have the client’s default scopes. To get optional ones, add the parameter ",
        h("code", {}, "scope"),
        ` with their names, separated by spaces: ${client.optionalClientScopes.join(" ")}.`,
      ),
    place,
  );
}
