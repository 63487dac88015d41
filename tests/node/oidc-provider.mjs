// node-oidc-provider with one client and client_credentials. argv: port, client as JSON. Prints "ready".
import { Provider } from "oidc-provider";

const [port, client] = process.argv.slice(2);
const { clientAuthSigningAlgValues, ...metadata } = JSON.parse(client);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ grant_types: ["client_credentials"], redirect_uris: [], response_types: [], ...metadata }],
  clientAuthMethods: ["private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues },
  features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
});
provider.on("server_error", (_, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
