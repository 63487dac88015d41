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
