// node-oidc-provider with one client, client_credentials, and access tokens: JWTs under ES256, or "opaque" ones,
// which are the only ones that it introspects.
// argv: directory of its package, port, client as JSON, format of access tokens. Its replay memory is bounded as keyturn's is by time:
// oidc-provider's own in-memory adapter keeps 1,000 entries.
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [packageDirectory, port, client, format] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(join(packageDirectory, "lib", "index.js")).href);
const { generateKeyPairSync } = await import("node:crypto");

const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const issuer = `http://127.0.0.1:${port}`;
const audience = "https://api.example.test";
const provider = new Provider(issuer, {
  clients: [{ ...JSON.parse(client), id_token_signed_response_alg: "ES256" }],
  jwks: { keys: [{ ...key, kid: "signing", use: "sig", alg: "ES256" }] },
  clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: ["ES256"] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "read", audience, accessTokenFormat: format, accessTokenTTL: 300, jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});
provider.on("server_error", (_, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
