// argv: openid-client or oauth4webapi. stdin: the scene as JSON. Prints the working features, method by method.
import { readFileSync } from "node:fs";
import { importJWK } from "jose";
import * as oauth4webapi from "oauth4webapi";
import * as openidClient from "openid-client";
import * as undici from "undici";

const scene = JSON.parse(readFileSync(0, "utf8"));
const rows = new Map();

function note(method, algorithm, what, succeeded) {
  if (!succeeded) throw new Error(`${method} ${algorithm}: no ${what}`);
  const row = rows.get(method) ?? { method, algorithms: [], does: [] };
  rows.set(method, row);
  if (algorithm && !row.algorithms.includes(algorithm)) row.algorithms.push(algorithm);
  if (!row.does.includes(what)) row.does.push(what);
}

async function privateKey(algorithm) {
  return { key: await importJWK(scene.keys[algorithm], algorithm), kid: algorithm };
}

// Both libraries present a certificate with a fetch whose agent has it, and with the endpoints meant for it.
function showing({ certificate, key }, symbol) {
  const dispatcher = new undici.Agent({ connect: { cert: certificate, key } });
  return { [symbol]: (url, options) => undici.fetch(url, { ...options, dispatcher }) };
}

async function askOpenidClient(clientId, authentication, method, algorithm, certificate) {
  const config = await openidClient.discovery(
    new URL(scene.issuer),
    clientId,
    certificate && { use_mtls_endpoint_aliases: true },
    authentication,
    certificate && showing(certificate, openidClient.customFetch),
  );
  const answer = await openidClient.clientCredentialsGrant(config);
  note(method, algorithm, "token", answer.token_type === "bearer");
  const told = await openidClient.tokenIntrospection(config, answer.access_token);
  note(method, algorithm, "introspection", told.active);
}

async function askOauth4webapi(clientId, authentication, method, algorithm, certificate) {
  const options = certificate ? showing(certificate, oauth4webapi.customFetch) : {};
  const issuer = new URL(scene.issuer);
  for (const place of ["oidc", "oauth2"]) {
    const server = await oauth4webapi.processDiscoveryResponse(
      issuer,
      await oauth4webapi.discoveryRequest(issuer, { algorithm: place }),
    );
    const client = { client_id: clientId, use_mtls_endpoint_aliases: Boolean(certificate) };
    const answer = await oauth4webapi.processClientCredentialsResponse(
      server,
      client,
      await oauth4webapi.clientCredentialsGrantRequest(server, client, authentication, {}, options),
    );
    note(method, algorithm, "token", answer.token_type === "bearer");
    const told = await oauth4webapi.processIntrospectionResponse(
      server,
      client,
      await oauth4webapi.introspectionRequest(server, client, authentication, answer.access_token, options),
    );
    note(method, algorithm, "introspection", told.active);
  }
}

const [library, ask] = {
  "openid-client": [openidClient, askOpenidClient],
  oauth4webapi: [oauth4webapi, askOauth4webapi],
}[process.argv[2]];

await ask(scene.bySecret, library.ClientSecretBasic(scene.secret), "client_secret_basic");
await ask(scene.bySecret, library.ClientSecretPost(scene.secret), "client_secret_post");
await ask(scene.bySecretJwt, library.ClientSecretJwt(scene.secret), "client_secret_jwt", "HS256");
for (const algorithm of Object.keys(scene.keys)) {
  await ask(scene.byKey, library.PrivateKeyJwt(await privateKey(algorithm)), "private_key_jwt", algorithm);
}
for (const certificate of scene.certificates) {
  await ask(certificate.clientId, library.TlsClientAuth(), certificate.method, undefined, certificate);
}
console.log(JSON.stringify([...rows.values()]));
