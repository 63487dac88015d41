// The ways in which a client can prove itself, and which attribute says what.

export const AUTHENTICATORS = [
  ["client-secret", "Client Id and Secret"],
  ["client-jwt", "Signed JWT"],
  ["client-secret-jwt", "Signed JWT with Client Secret"],
  ["client-x509", "X509 Certificate"],
];

export const authenticatorName = (id) => AUTHENTICATORS.find(([known]) => known === id)?.[1] || id;

export const hasSecret = (authenticator) =>
  authenticator === "client-secret" || authenticator === "client-secret-jwt";

export const SOURCES = { certificate: "Certificate", jwks: "Inline JWKS", jwks_url: "JWKS URL" };

/** Where the public keys of a client come from: `jwks_url`, `jwks`, `certificate`, or null for nowhere. */
export function keySource(attributes = {}) {
  const isTrue = (name) => (attributes[name] || "").trim().toLowerCase() === "true";
  if (isTrue("use.jwks.url")) return "jwks_url";
  if (isTrue("use.jwks.string")) return "jwks";
  return attributes["jwt.credential.certificate"] || attributes["jwt.credential.public.key"]
    ? "certificate"
    : null;
}
