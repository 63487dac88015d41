// The client scopes of a realm, and which of them its clients have that have no list of their own.
import { change, get, getVersioned } from "../api.js";
import { h, refill } from "../dom.js";
import { button, card, checkbox, field, form, head, input } from "../parts/controls.js";
import { confirm, openDialog } from "../parts/dialog.js";
import { editor, newDraft } from "../parts/edits.js";
import { empty, reportChange } from "../parts/feedback.js";
import { scopeEntries, scopeTable, TYPES_EXPLAINED } from "../parts/scope-lists.js";

const IN_TOKEN = "include.in.token.scope";
const MEMBERS = { default: "defaultDefaultClientScopes", optional: "defaultOptionalClientScopes" };

export async function clientScopesPage(context) {
  const { main, realm, base } = context;
  const draft = newDraft();
  async function show() {
    const [scopes, { version }, given, optional] = await Promise.all([
      get(`${base}/client-scopes`),
      getVersioned(base),
      get(`${base}/default-default-client-scopes`),
      get(`${base}/default-optional-client-scopes`),
    ]);
    const lists = { default: given.map(({ name }) => name), optional: optional.map(({ name }) => name) };
    const entries = scopeEntries(scopes.filter(isForTokens), lists, MEMBERS);
    const known = { base, reload: show };
    const actions = (scope) =>
      scope.id &&
      h(
        "span",
        { class: "row" },
        button("Edit", () => edit(known, scope), { kind: "little", "aria-label": `Edit ${scope.name}` }),
        button("Delete", () => remove(known, scope), {
          kind: "danger calm little",
          "aria-label": `Delete ${scope.name}`,
        }),
      );
    refill(
      main,
      head(
        "Client scopes",
        `What access tokens of ${realm} can be for, and the claims that they bring.`,
        button("New client scope", () => edit(known, null), { kind: "primary", glyph: "plus" }),
      ),
      card(
        "Scopes of this realm",
        { note: `For clients without a list of their own. ${TYPES_EXPLAINED}` },
        entries.length
          ? editor(
              { draft, kept: draft.take(), path: base, version, entries: () => entries, reload: show, full: true },
              scopeTable("Client scopes", entries, actions),
            )
          : empty("scopes", "No client scopes", "Tokens of this realm have no scope."),
      ),
    );
  }
  await show();
}

const isForTokens = ({ protocol }) => !protocol || protocol === "openid-connect";

/** Create a scope, or change one. */
function edit({ base, reload }, scope) {
  const attributes = scope?.attributes || {};
  openDialog(scope ? `Client scope ${scope.name}` : "New client scope", (close) => {
    const name = input(scope?.name || "", { required: true, maxlength: 255, pattern: "\\S+" });
    const description = input(scope?.description || "", { maxlength: 255 });
    const named = checkbox(
      "Include in token scope",
      attributes[IN_TOKEN] !== "false",
      "The claim scope of a token names it.",
    );
    async function action() {
      const json = {
        name: name.value,
        description: description.value,
        protocol: "openid-connect",
        attributes: { ...attributes, [IN_TOKEN]: String(named.box.checked) },
      };
      const path = `${base}/client-scopes`;
      const { fleet } = scope
        ? await change("PUT", `${path}/${encodeURIComponent(scope.id)}`, { json })
        : await change("POST", path, { json });
      close();
      await reportChange(scope ? "Saved." : `Client scope ${name.value} created.`, fleet, reload);
    }
    return form(
      { label: scope ? "Save" : "Create", action, others: button("Cancel", close) },
      field("Name", name, scope ? "Clients that ask for the former name are refused." : "Without spaces."),
      field("Description", description),
      named.line,
    );
  });
}

async function remove({ base, reload }, scope) {
  const sure = await confirm({
    title: `Delete the client scope ${scope.name}?`,
    consequences: [
      "No access token has it any more. A client that asks for it is refused.",
      "Its protocol mappers and scope mappings are deleted with it. This cannot be undone.",
    ],
    action: "Delete the scope",
  });
  if (!sure) return;
  const { fleet } = await change("DELETE", `${base}/client-scopes/${encodeURIComponent(scope.id)}`);
  await reportChange(`Client scope ${scope.name} deleted.`, fleet, reload);
}
