// The Admin roles tab of a client: what it may do in the admin API, the command line and this console.
import { h, refill } from "../dom.js";
import { card } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
import { checkEntry, editor, isChanged } from "../parts/edits.js";
import { notice } from "../parts/feedback.js";
import { isOwn, LOCKED_OUT, ownNotice } from "../parts/own.js";

const ATTRIBUTE = "keyturn.admin.roles";
const MASTER = "master";
/** Each role with what it permits. Those of `master` only come last. */
const ROLES = [
  [
    "view-clients",
    "View clients, their settings, keys, rotations and client scopes, and the event log. Secrets are masked.",
  ],
  [
    "configure-clients",
    "All of that, and change clients: settings, authenticators, secrets and keys. Secrets are shown. Rotate, and revoke keys.",
  ],
  [
    "manage-clients",
    "All of that, and create, import and delete clients. Manage client scopes, and the roles of clients and service accounts.",
  ],
  [
    "manage-realm",
    "Change and delete the realm: its settings, policy, signing keys, roles and identity providers. Read the audit log. Includes nothing about clients.",
  ],
];
const OF_MASTER = [
  ["create-realm", "Create realms."],
  ["admin", "Everything, in every realm."],
];

export async function adminRolesTab(context) {
  const { client, body, realm } = context;
  const held = words((client.attributes || {})[ATTRIBUTE]);
  const known = realm === MASTER ? [...ROLES, ...OF_MASTER] : ROLES;
  const others = held.filter((name) => !known.some(([each]) => each === name));
  const entries = [...known, ...others.map((name) => [name, "A role of another release."])].map(([name, help]) => ({
    ...checkEntry(`admin role ${name}`, name, held.includes(name), help),
    role: name,
    members: () => ({ [`attributes.${ATTRIBUTE}`]: chosen().join(",") }),
  }));
  const chosen = () => entries.filter((each) => each.value()).map((each) => each.role);

  async function before() {
    const given = entries.filter((each) => isChanged(each) && each.value()).map((each) => each.role);
    const taken = entries.filter((each) => isChanged(each) && !each.value()).map((each) => each.role);
    const where = realm === MASTER ? "in every realm" : `in ${realm}`;
    return confirm({
      title: `Change the admin roles of ${client.clientId}?`,
      consequences: [
        given.length > 0 && `Whoever has its credentials gets these roles ${where}: ${given.join(", ")}.`,
        taken.length > 0 && `It loses these roles at once: ${taken.join(", ")}.`,
        !chosen().length && "It is no administrator any more, and its sessions end.",
        isOwn(context, client) && taken.length > 0 && `This is the client that you are signed in with. ${chosen().length ? "You lose these roles too." : LOCKED_OUT}`,
      ],
      action: "Change the roles",
      kind: taken.length ? "danger" : "primary",
    });
  }
  refill(
    body,
    ownNotice(context, client),
    card(
      "Admin roles",
      {
        note:
          realm === MASTER
            ? "For the admin API, the command line and this console. A client of master has them for every realm."
            : `For the admin API, the command line and this console, in ${realm}.`,
      },
      obstacle(client),
      editor(
        { ...context, before, entries: () => entries },
        entries.map(({ element }) => element),
      ),
      h(
        "p",
        { class: "note" },
        "You can give only roles that you have yourself. Roles of the realm and of its clients, in Keycloak's sense, are for resource servers and give no power here.",
      ),
    ),
  );
}

const words = (text = "") =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);

/** Say why the client could not use its roles; null if it can. */
function obstacle(client) {
  if (client.publicClient || client.bearerOnly)
    return notice("warning", h("p", {}, "This client does not authenticate, so it cannot use admin roles."));
  if (!client.serviceAccountsEnabled)
    return notice("warning", h("p", {}, "Its client credentials grant is off: it cannot use admin roles. See Settings."));
  if (client.clientAuthenticatorType === "federated-jwt")
    return notice("warning", h("p", {}, "A client whose assertions an identity provider signs cannot have admin roles."));
  return null;
}
