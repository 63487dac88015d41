// The Credentials tab: the client's authenticator, and all of its credentials.
import { authenticator } from "../../authenticators.js";
import { get, getIfThere } from "../../api.js";
import { fill, h, refill } from "../../dom.js";
import { empty } from "../../parts/feedback.js";
import { card } from "../../parts/controls.js";
import { authenticatorCard } from "./authenticator.js";
import { federatedCard } from "./federated.js";
import { keysCard } from "./keys.js";
import { secretCard } from "./secret.js";
import { sourceCard } from "./source.js";
import { x509Card } from "./x509.js";

export async function credentialsTab(context) {
  const { client, body, path, base } = context;
  if (client.publicClient || client.bearerOnly) return fill(body, card(null, {}, withoutCredentials()));
  const hasFormer = (client.attributes || {})["client.secret.rotated.expiration.time"];
  const [keys, rotated, realm, usage, providers] = await Promise.all([
    get(`${path}/keys`).catch((error) => error),
    hasFormer && getIfThere(`${path}/client-secret/rotated`),
    get(base),
    get(`${path}/usage`).catch(() => ({})),
    get(`${base}/identity-provider/instances`),
  ]);
  const known = { ...context, keys, rotated, realmAttributes: realm.attributes || {}, usage, providers };
  // A choice's settings appear at once, before anything is saved.
  const parts = h("div", { class: "pile" });
  const showParts = (type) =>
    fill(
      parts,
      authenticator(type).credential === "secret" && secretCard(known, type),
      authenticator(type).credential === "certificate" && x509Card(known, type),
      authenticator(type).credential === "issuer" && federatedCard(known, type),
      usesKeys(type, client) && sourceCard(known),
      (usesKeys(type, client) || keys.length > 0) && keysCard(known),
    );
  showParts(client.clientAuthenticatorType);
  return refill(body, authenticatorCard(known, showParts), parts);
}

const usesKeys = (type, { attributes = {} }) => {
  const { credential } = authenticator(type);
  return credential === "keys" || (credential === "certificate" && attributes["x509.self.signed"] === "true");
};

const withoutCredentials = () =>
  empty(
    "key",
    "No credentials",
    "This client is public or bearer-only: it does not authenticate.",
  );
