import { clientPath, getVersioned } from "../api.js";
import { fill, h } from "../dom.js";
import { copyable } from "../parts/copying.js";
import { newDraft } from "../parts/edits.js";
import { badge, failure, loading, notice } from "../parts/feedback.js";
import { link, pagePath } from "../router.js";
import { activityTab } from "./activity.js";
import { adminRolesTab } from "./admin-roles.js";
import { rotationTab } from "./client-rotation.js";
import { connectTab } from "./connect.js";
import { credentialsTab } from "./credentials/tab.js";
import { evaluateTab } from "./evaluate.js";
import { scopesTab } from "./scopes-tab.js";
import { notFound } from "./not-found.js";
import { settingsTab } from "./settings.js";

/** @type {[string, string, (context: any) => Promise<any>][]} */
const TABS = [
  ["settings", "Settings", settingsTab],
  ["credentials", "Credentials", credentialsTab],
  ["connect", "Connect", connectTab],
  ["scopes", "Client scopes", scopesTab],
  ["admin-roles", "Admin roles", adminRolesTab],
  ["rotation", "Rotation", rotationTab],
  ["evaluate", "Evaluate", evaluateTab],
  ["activity", "Activity", activityTab],
];

/** One client. Each tab gets `{client, version, path, body, reload}` in addition to the page's context. */
export async function clientPage(context, uuid, tab = "settings") {
  const { realm, main } = context;
  const path = clientPath(realm, uuid);
  const known = TABS.find(([each]) => each === tab);
  if (!known) return notFound(main, realm);
  const [name, , show] = known;
  const top = h("div", {});
  const body = h("div", { class: "pile" }, loading());

  const draft = newDraft();
  // What is edited stays edited when the page is read again.
  async function reload() {
    const { value: client, version, due } = await getVersioned(path);
    const kept = draft.take();
    document.title = `${client.clientId} · ${realm} · keyturn`;
    fill(top, title(realm, client), due && secretIsDue());
    await show({ ...context, client, version, path, body, reload, draft, kept });
  }

  fill(
    main,
    top,
    h(
      "nav",
      { class: "tabs", "aria-label": "Client" },
      TABS.map(([each, label]) =>
        link(pagePath(realm, "clients", uuid, each), label, { "aria-current": each === name && "page" }),
      ),
    ),
    body,
  );
  // On a narrow screen, not all tabs are in view.
  main.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  try {
    return await reload();
  } catch (error) {
    fill(
      top,
      h("header", { class: "head" }, h("div", {}, back(realm), h("h1", { tabindex: "-1" }, "Client"))),
    );
    return fill(body, failure(error));
  }
}

const back = (realm) => link(pagePath(realm, "clients"), "Clients", { class: "crumb" });

const secretIsDue = () =>
  notice(
    "warning",
    h("p", {}, "The next change that you save also gives it a new secret: its own has expired, or is due and nothing rotates it."),
    h("p", {}, "The client will then need it. Regenerate the secret yourself to see it at once."),
  );

const title = (realm, client) =>
  h(
    "header",
    { class: "head" },
    h(
      "div",
      {},
      back(realm),
      h(
        "div",
        { class: "title" },
        h("h1", { tabindex: "-1" }, client.clientId),
        client.enabled ? badge("Enabled", "good") : badge("Disabled", "warning"),
      ),
      h(
        "div",
        { class: "quiet small row" },
        client.name && h("span", {}, client.name),
        copyable(client.id, "internal ID"),
      ),
    ),
  );
