// Client authenticators, and the attributes of each.

/** `credential`: the kind of credential. `algorithms`: those of its assertions, if it sends any. */
const AUTHENTICATORS = {
  "client-secret": { label: "Client Id and Secret", credential: "secret", algorithms: [] },
  "client-jwt": {
    label: "Signed JWT",
    credential: "keys",
    algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
  },
  "client-secret-jwt": {
    label: "Signed JWT with Client Secret",
    credential: "secret",
    algorithms: ["HS256", "HS384", "HS512"],
  },
  "client-x509": { label: "X509 Certificate", credential: "certificate", algorithms: [] },
  "federated-jwt": {
    label: "Signed JWT - Federated",
    credential: "issuer",
    algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
  },
};
const UNKNOWN = { credential: null, algorithms: [] };

/** For a list box: id and label of each. */
export const authenticatorChoices = () => Object.entries(AUTHENTICATORS).map(([id, { label }]) => [id, label]);

/** A newer build's authenticator is shown by its id. */
export const authenticator = (id) => AUTHENTICATORS[id] || { ...UNKNOWN, label: id };

export const SOURCES = { certificate: "Certificate", jwks: "Inline JWKS", jwks_url: "JWKS URL" };

/** Source of a client's public keys: `jwks_url`, `jwks`, `certificate`, or null for none. */
export function keySource(attributes = {}) {
  const isTrue = (name) => (attributes[name] || "").trim().toLowerCase() === "true";
  if (isTrue("use.jwks.url")) return "jwks_url";
  if (isTrue("use.jwks.string")) return "jwks";
  return attributes["jwt.credential.certificate"] || attributes["jwt.credential.public.key"]
    ? "certificate"
    : null;
}
