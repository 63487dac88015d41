// Calls of @keycloak/keycloak-admin-client about roles, in an order in which each has something to do.
import assert from "node:assert/strict";

export async function callForRoles(call, realm, id) {
  await call("roles.create", { realm, name: "all", attributes: { team: ["payments"] } });
  const role = await call("roles.findOneByName", { realm, name: "all" });
  assert.deepEqual(role.attributes, { team: ["payments"] });
  assert.deepEqual((await call("roles.find", { realm })).map(({ name }) => name), ["all"]);
  await call("roles.updateByName", { realm, name: "all" }, { name: "every" });
  assert.equal((await call("roles.findOneById", { realm, id: role.id })).name, "every");
  await call("roles.updateById", { realm, id: role.id }, { name: "all" });
  await call("clients.createRole", { realm, id, name: "read" });
  assert.deepEqual((await call("clients.listRoles", { realm, id })).map(({ name }) => name), ["read"]);
  const read = await call("clients.findRole", { realm, id, roleName: "read" });
  assert.equal(read.containerId, id);
  await call("clients.updateRole", { realm, id, roleName: "read" }, { name: "read", description: "Reads" });
  await callForRoleMappings(call, realm, id, role, read);
  await callForScopeMappings(call, "clients", { realm, id }, id, role, read);
  await call("clientScopes.create", { realm, name: "of-roles" });
  const scope = (await call("clientScopes.find", { realm })).find(({ name }) => name === "of-roles");
  const ofScope = { realm, id: scope.id };
  assert.equal((await call("clientScopes.findOne", ofScope)).name, "of-roles");
  await call("clientScopes.update", ofScope, { description: "Brings roles into scope" });
  for (const kind of ["", "Optional"]) {
    await call(`clientScopes.addDefault${kind}ClientScope`, ofScope);
    const listed = await call(`clientScopes.listDefault${kind}ClientScopes`, { realm });
    assert.ok(listed.some(({ id }) => id === scope.id));
    await call(`clientScopes.delDefault${kind}ClientScope`, ofScope);
  }
  await callForScopeMappings(call, "clientScopes", ofScope, id, role, read);
  await call("clientScopes.del", ofScope);
  await call("roles.createComposite", { realm, roleId: role.id }, [read]);
  assert.equal((await call("roles.getCompositeRoles", { realm, id: role.id }))[0].id, read.id);
  assert.deepEqual(await call("roles.getCompositeRolesForRealm", { realm, id: role.id }), []);
  const ofClient = { realm, id: role.id, clientId: id };
  assert.equal((await call("roles.getCompositeRolesForClient", ofClient)).length, 1);
  await call("roles.delCompositeRoles", { realm, id: role.id }, [read]);
  await call("clients.delRole", { realm, id, roleName: "read" });
  await call("roles.delByName", { realm, name: "all" });
  await call("roles.create", { realm, name: "last" });
  const last = await call("roles.findOneByName", { realm, name: "last" });
  await call("roles.delById", { realm, id: last.id });
}

async function callForRoleMappings(call, realm, id, role, read) {
  const username = "service-account-orders";
  const [{ id: user }] = await call("users.find", { realm, username });
  assert.equal((await call("users.findOne", { realm, id: user })).username, username);
  const ofUser = { realm, id: user };
  assert.equal((await call("users.listAvailableRealmRoleMappings", ofUser))[0].id, role.id);
  await call("users.addRealmRoleMappings", { ...ofUser, roles: [role] });
  assert.equal((await call("users.listRealmRoleMappings", ofUser))[0].id, role.id);
  assert.equal((await call("users.listCompositeRealmRoleMappings", ofUser)).length, 1);
  assert.equal((await call("roles.findUsersWithRole", { realm, name: "all" }))[0].id, user);
  const ofClient = { ...ofUser, clientUniqueId: id };
  assert.equal((await call("users.listAvailableClientRoleMappings", ofClient))[0].id, read.id);
  await call("users.addClientRoleMappings", { ...ofClient, roles: [read] });
  assert.equal((await call("users.listClientRoleMappings", ofClient))[0].id, read.id);
  assert.equal((await call("users.listCompositeClientRoleMappings", ofClient)).length, 1);
  assert.equal((await call("clients.findUsersWithRole", { realm, id, roleName: "read" }))[0].id, user);
  assert.equal(Object.keys(await call("users.listRoleMappings", ofUser)).length, 2);
  await call("users.delClientRoleMappings", { ...ofClient, roles: [read] });
  await call("users.delRealmRoleMappings", { ...ofUser, roles: [role] });
}

async function callForScopeMappings(call, resource, holder, client, role, read) {
  const ofClient = { ...holder, client };
  assert.equal((await call(`${resource}.listAvailableRealmScopeMappings`, holder)).length, 1);
  await call(`${resource}.addRealmScopeMappings`, holder, [role]);
  assert.equal((await call(`${resource}.listRealmScopeMappings`, holder))[0].id, role.id);
  assert.equal((await call(`${resource}.listCompositeRealmScopeMappings`, holder)).length, 1);
  assert.equal((await call(`${resource}.listAvailableClientScopeMappings`, ofClient))[0].id, read.id);
  await call(`${resource}.addClientScopeMappings`, ofClient, [read]);
  assert.equal((await call(`${resource}.listClientScopeMappings`, ofClient))[0].id, read.id);
  assert.equal((await call(`${resource}.listCompositeClientScopeMappings`, ofClient)).length, 1);
  assert.equal(Object.keys(await call(`${resource}.listScopeMappings`, holder)).length, 2);
  await call(`${resource}.delClientScopeMappings`, ofClient, [read]);
  await call(`${resource}.delRealmScopeMappings`, holder, [role]);
}
