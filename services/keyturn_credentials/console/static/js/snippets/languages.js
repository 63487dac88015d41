// Snippets that get a token, by language. No secret is in them unless it is given.
import { adapter } from "./adapter.js";
import { curl } from "./curl.js";
import { dotnet } from "./dotnet.js";
import { go } from "./go.js";
import { java } from "./java.js";
import { node } from "./node.js";
import { python } from "./python.js";

export const ADAPTER = "keycloak.json";
export const LANGUAGES = [
  { id: "curl", label: "curl", make: curl },
  { id: "python", label: "Python", make: python },
  { id: "java", label: "Java", make: java },
  { id: "node", label: "Node.js", make: node },
  { id: "go", label: "Go", make: go },
  { id: "dotnet", label: ".NET", make: dotnet },
  { id: ADAPTER, label: "keycloak.json", make: adapter },
];

/**
 * The snippet for a client: `{text, note}`. `keyId`: of the key that it signs with, if known; `secret`: the secret to
 * fill in, or null for an environment variable.
 */
export function snippetOf(language, { client, realm, metadata, kind, keyId, secret }) {
  const { make } = LANGUAGES.find(({ id }) => id === language);
  const aliases = metadata.mtls_endpoint_aliases;
  const isCertificate = kind.id === "certificate" && aliases;
  return make({
    clientId: client.clientId,
    realm,
    issuer: metadata.issuer,
    tokenUrl: (isCertificate ? aliases : metadata).token_endpoint,
    kind,
    keyId,
    secret,
  });
}
