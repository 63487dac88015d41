// Libraries for Node.js as resource servers use them with Keycloak. Reads cases and prints what each library
// answers to each token, by library and realm.
import { createServer } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import express from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";
import Keycloak from "keycloak-connect";

const jose = (given) => {
  const keys = createRemoteJWKSet(new URL(given.jwks_uri));
  return async (token) => {
    const { payload } = await jwtVerify(token, keys, { issuer: given.issuer, audience: given.audience });
    return payload;
  };
};

// An Express application with keycloak-connect as in its guide. The roles are asked for by protect() and hasRole().
async function keycloakConnect(given, closing) {
  const keycloak = new Keycloak({}, {
    realm: given.realm,
    "auth-server-url": given.server_url,
    "ssl-required": "external",
    resource: given.audience,
    "bearer-only": true,
    "verify-token-audience": true,
  });
  const application = express();
  application.use(keycloak.middleware());
  const show = (request, response) => {
    const token = request.kauth.grant.access_token;
    response.json({ ...token.content, mayWrite: token.hasRole("write"), mayRead: token.hasRole("read") });
  };
  application.get("/payments", keycloak.protect("realm:payments"), show);
  application.get("/read", keycloak.protect("read"), show);
  application.get("/write", keycloak.protect("orders-api:write"), show);
  application.get("/any", keycloak.protect(), show);
  const server = createServer(application).listen(0, "127.0.0.1");
  closing.push(server);
  await once(server, "listening");
  const get = (path, token) =>
    fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return async (token) => {
    const answers = await Promise.all(["/any", "/payments", "/read"].map((path) => get(path, token)));
    if (answers.some((answer) => answer.status !== answers[0].status)) throw new Error("protect() disagrees");
    if (answers[0].status !== 200) throw new Error(`${answers[0].status} ${await answers[0].text()}`);
    const shown = await answers[1].json();
    const write = await get("/write", token);
    if (write.status !== 403 || shown.mayWrite || !shown.mayRead) throw new Error("the role is not respected");
    return shown;
  };
}

const libraries = {
  "jose (npm)": jose,
  "keycloak-connect": keycloakConnect,
};

async function answer(decode, token) {
  try {
    const claims = await decode(token);
    return {
      roles: claims.realm_access.roles.toSorted(),
      client_roles: claims.resource_access["orders-api"].roles,
    };
  } catch (error) {
    return { refused: String(error.message) };
  }
}

const cases = JSON.parse(await text(process.stdin));
const answers = {};
for (const [name, library] of Object.entries(libraries)) {
  answers[name] = {};
  for (const given of cases) {
    const closing = [];
    const decode = await library(given, closing);
    const byToken = {};
    for (const [kind, token] of Object.entries(given.tokens)) byToken[kind] = await answer(decode, token);
    answers[name][given.realm] = byToken;
    for (const server of closing) server.close();
  }
}
console.log(JSON.stringify(answers));
