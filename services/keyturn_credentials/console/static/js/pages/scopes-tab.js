// The Client scopes tab of a client: which scopes of the realm its tokens have.
import { get } from "../api.js";
import { h, refill } from "../dom.js";
import { card } from "../parts/controls.js";
import { editor } from "../parts/edits.js";
import { empty } from "../parts/feedback.js";
import { scopeEntries, scopeTable, TYPES_EXPLAINED } from "../parts/scope-lists.js";
import { link, pagePath } from "../router.js";

const MEMBERS = { default: "defaultClientScopes", optional: "optionalClientScopes" };

export async function scopesTab(context) {
  const { body, base, path, realm } = context;
  const [scopes, given, optional] = await Promise.all([
    get(`${base}/client-scopes`),
    get(`${path}/default-client-scopes`),
    get(`${path}/optional-client-scopes`),
  ]);
  const lists = { default: given.map(({ name }) => name), optional: optional.map(({ name }) => name) };
  const ofTokens = scopes.filter(({ protocol }) => !protocol || protocol === "openid-connect");
  const entries = scopeEntries(ofTokens, lists, MEMBERS);
  const ofRealm = link(pagePath(realm, "client-scopes"), "client scopes of the realm");
  refill(
    body,
    card(
      "Client scopes",
      { note: TYPES_EXPLAINED },
      h("p", { class: "note" }, "A client has the ", ofRealm, " until you save here. Then it has a list of its own."),
      entries.length
        ? editor(
            { ...context, entries: () => entries, full: true },
            scopeTable("Client scopes", entries),
          )
        : empty("scopes", "No client scopes", "This realm has none."),
    ),
  );
}
