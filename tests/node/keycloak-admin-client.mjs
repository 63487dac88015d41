// Every credentials call of @keycloak/keycloak-admin-client, in an order in which each has something to do.
// Prints the names of those that worked as a JSON array.
import assert from "node:assert/strict";
import KcAdminClient from "@keycloak/keycloak-admin-client";
import { callForRoles } from "./role-calls.mjs";

const admin = new KcAdminClient({ baseUrl: process.env.BASE_URL, realmName: "master" });
admin.setAccessToken(process.env.TOKEN);
const worked = [];

async function call(name, ...parameters) {
  const [resource, method] = name.split(".");
  const result = await admin[resource][method](...parameters);
  if (!worked.includes(name)) worked.push(name);
  return result;
}

await call("realms.create", { realm: "acme", enabled: true });
assert.deepEqual((await call("realms.find")).map((realm) => realm.realm).sort(), ["acme", "master"]);
assert.equal((await call("realms.findOne", { realm: "acme" })).realm, "acme");
await call("realms.update", { realm: "acme" }, { accessTokenLifespan: 120 });
assert.equal((await call("realms.getKeys", { realm: "acme" })).keys.length, 4);

const realm = "acme";
const { id } = await call("clients.create", { realm, clientId: "orders", serviceAccountsEnabled: true });
assert.equal((await call("clients.find", { realm, clientId: "orders" }))[0].id, id);
assert.equal((await call("clients.findOne", { realm, id })).clientId, "orders");
const first = await call("clients.getClientSecret", { realm, id });
assert.equal(first.type, "secret");
await call("clients.update", { realm, id }, { attributes: { "keyturn.secret.expiration-period": "3600", "keyturn.secret.rotated-expiration-period": "600" } });
const second = await call("clients.generateNewClientSecret", { realm, id });
assert.notEqual(second.value, first.value);
await call("clients.invalidateSecret", { realm, id });
const attr = "jwt.credential";
const made = await call("clients.generateKey", { realm, id, attr });
assert.ok(made.privateKey && made.certificate);
assert.equal((await call("clients.getKeyInfo", { realm, id, attr })).certificate, made.certificate);
const config = { format: "PKCS12", keyAlias: "orders", keyPassword: "secret", storePassword: "secret" };
const archive = await call("clients.generateAndDownloadKey", { realm, id, attr }, config);
assert.ok(archive.byteLength > 1000);
assert.ok((await call("clients.downloadKey", { realm, id, attr }, config)).byteLength > 500);
const form = () => {
  const data = new FormData();
  data.append("keystoreFormat", "Certificate PEM");
  data.append("file", new Blob([process.env.CERTIFICATE]), "orders.pem");
  return data;
};
assert.ok((await call("clients.uploadKey", { realm, id, attr }, form())).certificate);
assert.ok((await call("clients.uploadCertificate", { realm, id, attr }, form())).certificate);
const providerId = "keycloak-oidc-keycloak-json";
assert.equal((await call("clients.getInstallationProviders", { realm, id, providerId })).resource, "orders");
assert.equal((await call("clients.getServiceAccountUser", { realm, id })).username, "service-account-orders");
assert.deepEqual(await call("clients.listProtocolMappers", { realm, id }), []);
const mapper = {
  name: "tier",
  protocol: "openid-connect",
  protocolMapper: "oidc-hardcoded-claim-mapper",
  config: { "claim.name": "tier", "claim.value": "gold", "access.token.claim": "true" },
};
await call("clients.addProtocolMapper", { realm, id }, mapper);
await call("clients.addMultipleProtocolMappers", { realm, id }, [{ ...mapper, name: "more" }]);
const protocol = "openid-connect";
const mappers = await call("clients.findProtocolMappersByProtocol", { realm, id, protocol });
assert.deepEqual(mappers.map((one) => one.name), ["tier", "more"]);
const mapperId = mappers[0].id;
assert.equal((await call("clients.findProtocolMapperById", { realm, id, mapperId })).config["claim.value"], "gold");
await call("clients.updateProtocolMapper", { realm, id, mapperId }, { ...mappers[0], name: "changed" });
await call("clients.delProtocolMapper", { realm, id, mapperId });
const clientScopeId = (await admin.clientScopes.create({ realm, name: "tenant" })).id;
for (const kind of ["Default", "Optional"]) {
  await call(`clients.add${kind}ClientScope`, { realm, id, clientScopeId });
  const listed = await call(`clients.list${kind}ClientScopes`, { realm, id });
  assert.ok(listed.some((scope) => scope.name === "tenant"));
  await call(`clients.del${kind}ClientScope`, { realm, id, clientScopeId });
}
await admin.clientScopes.del({ realm, id: clientScopeId });
await callForRoles(call, realm, id);
const alias = "cluster";
await call("identityProviders.create", { realm, alias, providerId: "kubernetes", config: {} });
assert.equal((await call("identityProviders.find", { realm }))[0].alias, alias);
assert.equal((await call("identityProviders.findOne", { realm, alias })).providerId, "kubernetes");
await call("identityProviders.update", { realm, alias }, { alias, enabled: false });
assert.equal(await call("identityProviders.reloadKeys", { realm, alias }), true);
await call("identityProviders.del", { realm, alias });
await call("cache.clearKeysCache", { realm });
await admin.realms.update({ realm }, { notBefore: Math.floor(Date.now() / 1000) });
assert.deepEqual(await call("realms.pushRevocation", { realm }), { successRequests: [], failedRequests: [] });
assert.deepEqual((await call("clients.pushRevocation", { realm, id })).failedRequests, []);
const exported = await call("realms.export", { realm, exportClients: true });
assert.equal(exported.clients[0].id, id);
await call("clients.del", { realm, id });
const rep = { ifResourceExists: "FAIL", clients: exported.clients };
assert.equal((await call("realms.partialImport", { realm, rep })).added, 1);
await call("realms.del", { realm });
console.log(JSON.stringify(worked));
