import { change, clientPath, get } from "../api.js";
import { badge, busy, button, card, checkbox, confirm, copyable, field, input, reportChange } from "../components.js";
import { fill, h } from "../dom.js";
import { go, link, pagePath } from "../shell.js";
import { credentialsTab } from "./credentials.js";

export async function clientPage(context, uuid, tab = "settings") {
  const { realm, main } = context;
  const path = clientPath(realm, uuid);
  const client = await get(path);
  document.title = `${client.clientId} · ${realm} · keyturn`;
  const body = h("div", { class: "tab-body" });
  const tabs = [["settings", "Settings"], ["credentials", "Credentials"]];
  fill(
    main,
    h(
      "header",
      { class: "page" },
      h(
        "div",
        {},
        link(pagePath(realm, "clients"), "Clients", { class: "crumb" }),
        h("h1", {}, client.clientId, " ", client.enabled ? badge("Enabled", "good") : badge("Disabled")),
        h("p", { class: "lead" }, copyable(client.id, "internal id")),
      ),
      button("Delete", () => remove(client, path, realm), { kind: "danger quiet" }),
    ),
    h(
      "nav",
      { class: "tabs", "aria-label": "Client" },
      tabs.map(([name, label]) => link(pagePath(realm, "clients", uuid, name), label, { "aria-current": name === tab ? "page" : null })),
    ),
    body,
  );
  if (tab === "credentials") await credentialsTab({ ...context, client, path, body });
  else settingsTab({ ...context, client, path, body });
}

async function remove(client, path, realm) {
  const sure = await confirm({
    title: `Delete ${client.clientId}?`,
    consequences: ["Every credential of this client is refused by all nodes.", "Its secrets, keys and settings are gone. There is no way back."],
    action: "Delete the client",
  });
  if (!sure) return;
  await busy(document.activeElement || document.body, async () => {
    const { fleet } = await change("DELETE", path);
    reportChange(`Deleted ${client.clientId}.`, fleet);
    go(pagePath(realm, "clients"));
  });
}

function settingsTab({ client, path, body }) {
  const clientId = input(client.clientId, { required: true, maxlength: 255 });
  const name = input(client.name || "", { maxlength: 255 });
  const description = h("textarea", { rows: 2, maxlength: 1000 }, client.description || "");
  const rootUrl = input(client.rootUrl || "", { type: "url", placeholder: "https://" });
  const enabled = checkbox("Enabled", client.enabled);
  const accounts = checkbox("May get tokens for itself (client credentials grant)", client.serviceAccountsEnabled);
  const submit = h("button", { class: "button primary" }, "Save");
  fill(
    body,
    card(
      "Settings",
      {},
      h(
        "form",
        {
          class: "stack",
          onsubmit: async (event) => {
            event.preventDefault();
            if (client.enabled && !enabled.box.checked && !(await confirm({ title: "Disable this client?", consequences: ["All nodes refuse its credentials until it is enabled again."], action: "Disable" }))) return;
            busy(submit, async () => {
              const { fleet } = await change("PUT", path, {
                json: { ...client, clientId: clientId.value, name: name.value, description: description.value, rootUrl: rootUrl.value, enabled: enabled.box.checked, serviceAccountsEnabled: accounts.box.checked },
              });
              Object.assign(client, await get(path));
              reportChange("Saved.", fleet);
            });
          },
        },
        field("Client ID", clientId, "Changing it breaks the client until it uses the new one."),
        field("Name", name),
        field("Description", description),
        field("Root URL", rootUrl, "A relative JWKS URL is resolved against it."),
        enabled.line,
        accounts.line,
        h("div", { class: "actions" }, submit),
      ),
    ),
  );
}
