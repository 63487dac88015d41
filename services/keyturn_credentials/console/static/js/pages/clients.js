import { authenticator, keySource, SOURCES } from "../authenticators.js";
import { change, get } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { button, card, field, form, head, input } from "../parts/controls.js";
import { openDialog } from "../parts/dialog.js";
import { badge, empty, failure, loading, reportChange } from "../parts/feedback.js";
import { state } from "../parts/state.js";
import { lines, table } from "../parts/table.js";
import { go, link, pagePath } from "../router.js";
import { distance, now } from "../time.js";

const PAGE = 25;
const TYPING_MS = 200;

export async function clientsPage({ realm, main, base, onLeave }) {
  const parameters = new URLSearchParams(location.search);
  let first = Math.max(0, Number.parseInt(parameters.get("first") || "0", 10) || 0);
  let asked = 0;
  const search = input(parameters.get("search") || "", {
    type: "search",
    placeholder: "Search by client ID",
    "aria-label": "Search by client ID",
  });
  const list = h("div", {}, loading());
  const pager = h("nav", { class: "pager", "aria-label": "Pages" });
  const found = h("p", { class: "visually-hidden", role: "status" });

  async function show() {
    const number = ++asked;
    const query = new URLSearchParams({
      first: String(first),
      max: String(PAGE + 1),
      clientId: search.value,
      search: "true",
    });
    const shown = new URLSearchParams();
    if (search.value) shown.set("search", search.value);
    if (first) shown.set("first", String(first));
    history.replaceState(null, "", shown.size ? `${location.pathname}?${shown}` : location.pathname);
    try {
      const clients = await get(`${base}/clients?${query}`);
      if (number !== asked) return; // a later search was started meanwhile
      const page = clients.slice(0, PAGE);
      fill(list, page.length ? rows(realm, page) : nothing());
      found.textContent = page.length ? `${page.length} clients shown` : "No client found";
      fill(
        pager,
        page.length && (first || clients.length > PAGE) ? turns(page.length, clients.length > PAGE) : [],
      );
    } catch (error) {
      fill(list, failure(error));
    }
  }

  const turn = (by) => {
    first = Math.max(0, first + by);
    return show();
  };
  const turns = (count, more) => [
    h("span", { class: "number" }, `${first + 1}–${first + count}`),
    h(
      "span",
      { class: "row" },
      first > 0 && button("Previous", () => turn(-PAGE), { kind: "little" }),
      more && button("Next", () => turn(PAGE), { kind: "little" }),
    ),
  ];
  const clear = () => {
    search.value = "";
    first = 0;
    search.focus();
    return show();
  };
  const nothing = () =>
    search.value || first
      ? empty(
          "search",
          "No client found",
          `No client ID in ${realm} contains “${search.value}”.`,
          button("Clear search", clear),
        )
      : empty(
          "clients",
          "No clients yet",
          "A client is a program that authenticates with a secret, a certificate, or a JWT signed with its own key.",
          newClient("primary"),
        );
  const newClient = (kind) => button("New client", () => createClient(realm, base), { kind, glyph: "plus" });

  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => turn(-first), TYPING_MS);
  });
  onLeave(() => clearTimeout(timer));
  fill(
    main,
    head("Clients", `Programs that authenticate in ${realm}.`, newClient("primary")),
    card(null, {}, h("div", { class: "search" }, icon("search"), search), found, list, pager),
  );
  await show();
}

const rows = (realm, clients) =>
  table(
    "Clients",
    ["Client ID", "Authenticator", "Credential", "State"],
    clients.map((client) => [
      lines(
        link(pagePath(realm, "clients", client.id, "credentials"), client.clientId, { class: "strong" }),
        client.name,
      ),
      client.publicClient ? "None (public client)" : authenticator(client.clientAuthenticatorType).label,
      credential(client),
      state(client.enabled),
    ]),
  );

/** The client's credential, in a few words. */
function credential({ clientAuthenticatorType, attributes, secret }) {
  const kind = authenticator(clientAuthenticatorType).credential;
  if (kind === "certificate")
    return attributes["x509.subjectdn"] ? "Subject DN" : badge("Not set up", "warning");
  if (kind !== "secret")
    return SOURCES[keySource(attributes)] || badge("No keys", "warning");
  if (!secret) return badge("No secret", "warning");
  const expires = Number(attributes["client.secret.expiration.time"] || 0);
  if (!expires) return "Secret";
  if (expires <= now()) return badge("Secret expired", "bad");
  const former = attributes["client.secret.rotated.expiration.time"] ? ", two accepted" : "";
  return `Secret, expires ${distance(expires)}${former}`;
}

function createClient(realm, base) {
  openDialog("New client", (close) => {
    const clientId = input("", { required: true, maxlength: 255 });
    const name = input("", { maxlength: 255 });
    const action = async () => {
      const json = { clientId: clientId.value, name: name.value, serviceAccountsEnabled: true };
      const { fleet, id } = await change("POST", `${base}/clients`, { json });
      close();
      reportChange(`Client ${clientId.value} created.`, fleet);
      go(pagePath(realm, "clients", id, "credentials"));
    };
    return form(
      { label: "Create", action, others: button("Cancel", close) },
      field("Client ID", clientId, "The client_id sent to the token endpoint."),
      field("Name", name, "Optional. Shown in this console."),
      h(
        "p",
        { class: "help" },
        "A client secret is generated. You can change the authenticator on the Credentials tab.",
      ),
    );
  });
}
