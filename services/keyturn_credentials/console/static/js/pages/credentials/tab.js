// The Credentials tab: how the client proves itself, and everything it proves itself with.
import { hasSecret } from "../../authenticators.js";
import { get, getIfThere } from "../../api.js";
import { fill, h, refill } from "../../dom.js";
import { empty } from "../../parts/feedback.js";
import { card } from "../../parts/controls.js";
import { authenticatorCard } from "./authenticator.js";
import { keysCard } from "./keys.js";
import { secretCard } from "./secret.js";
import { sourceCard } from "./source.js";
import { x509Card } from "./x509.js";

export async function credentialsTab(context) {
  const { client, body, path, base } = context;
  if (client.publicClient || client.bearerOnly) return fill(body, card(null, {}, withoutCredentials()));
  const hasFormer = (client.attributes || {})["client.secret.rotated.expiration.time"];
  const [keys, rotated, realm, usage] = await Promise.all([
    get(`${path}/keys`).catch((error) => error),
    hasFormer && getIfThere(`${path}/client-secret/rotated`),
    get(base),
    get(`${path}/usage`).catch(() => ({})),
  ]);
  const known = { ...context, keys, rotated, realmAttributes: realm.attributes || {}, usage };
  // What belongs to a choice is shown at once, before anything is saved.
  const parts = h("div", { class: "pile" });
  const showParts = (type) =>
    fill(
      parts,
      hasSecret(type) && secretCard(known, type),
      type === "client-x509" && x509Card(known, type),
      goesByKeys(type, client) && sourceCard(known),
      (goesByKeys(type, client) || keys.length > 0) && keysCard(known),
    );
  showParts(client.clientAuthenticatorType);
  return refill(body, authenticatorCard(known, showParts), parts);
}

const goesByKeys = (type, { attributes = {} }) =>
  type === "client-jwt" || (type === "client-x509" && attributes["x509.self.signed"] === "true");

const withoutCredentials = () =>
  empty(
    "key",
    "No credentials",
    "This client is public or only checks tokens of others: it has nothing to prove itself with.",
  );
