// The configuration of a Keycloak adapter, as the server makes it, without a credential.
import { SECRET } from "./kinds.js";

const REALMS = "/realms/";

export function adapter({ clientId, issuer, realm, kind, secret }) {
  const value = secret || `\${${SECRET}}`;
  const credentials = {
    basic: { secret: value },
    post: { secret: value },
    hmac: { "secret-jwt": { secret: value, algorithm: kind.algorithm } },
    key: { jwt: {} },
  }[kind.id];
  const config = {
    realm,
    "auth-server-url": issuer.slice(0, issuer.lastIndexOf(REALMS) + 1),
    "ssl-required": "external",
    resource: clientId,
    credentials: credentials || {},
    "confidential-port": 0,
  };
  return {
    text: JSON.stringify(config, null, 2),
    note: kind.hasSecret
      ? `The file of a Keycloak adapter. \${${SECRET}} stands for the secret.`
      : "The file of a Keycloak adapter. It contains no credential.",
  };
}
