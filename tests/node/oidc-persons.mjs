// node-oidc-provider at which persons sign in. argv: port, configuration as JSON: clients, accounts (claims by login),
// jwks, and scopes (claims by scope). Its own development pages ask for the login. Prints "ready".
import { Provider } from "oidc-provider";

const [port, given] = process.argv.slice(2);
const { accounts, scopes, ...configuration } = JSON.parse(given);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  ...configuration,
  claims: scopes,
  // As Keycloak and Entra do: the ID token has the claims that the scopes ask for.
  conformIdTokenClaims: false,
  cookies: { keys: ["for tests only"] },
  pkce: { required: () => true },
  // By itself it sends nothing to loopback addresses.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  features: { backchannelLogout: { enabled: true } },
  findAccount: (_, id) => accounts[id] && { accountId: id, claims: async () => ({ sub: id, ...accounts[id] }) },
});
provider.on("server_error", (_, error) => console.error(error));
provider.on("backchannel.success", () => console.log("logout delivered"));
provider.on("backchannel.error", (_, error) => console.error("logout failed", error));
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
