// argv: openid-client or oauth4webapi. stdin: the scene as JSON. Prints what worked, method by method.
import { readFileSync } from "node:fs";
import { importJWK } from "jose";
import * as oauth4webapi from "oauth4webapi";
import * as openidClient from "openid-client";

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

async function askOpenidClient(clientId, authentication, method, algorithm) {
  const config = await openidClient.discovery(new URL(scene.issuer), clientId, undefined, authentication);
  const answer = await openidClient.clientCredentialsGrant(config);
  note(method, algorithm, "token", answer.token_type === "bearer");
  const told = await openidClient.tokenIntrospection(config, answer.access_token);
  note(method, algorithm, "introspection", told.active);
}

async function askOauth4webapi(clientId, authentication, method, algorithm) {
  const issuer = new URL(scene.issuer);
  for (const place of ["oidc", "oauth2"]) {
    const server = await oauth4webapi.processDiscoveryResponse(
      issuer,
      await oauth4webapi.discoveryRequest(issuer, { algorithm: place }),
    );
    const client = { client_id: clientId };
    const answer = await oauth4webapi.processClientCredentialsResponse(
      server,
      client,
      await oauth4webapi.clientCredentialsGrantRequest(server, client, authentication, {}),
    );
    note(method, algorithm, "token", answer.token_type === "bearer");
    const told = await oauth4webapi.processIntrospectionResponse(
      server,
      client,
      await oauth4webapi.introspectionRequest(server, client, authentication, answer.access_token),
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
console.log(JSON.stringify([...rows.values()]));
