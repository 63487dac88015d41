import { authenticator, keySource, SOURCES } from "../authenticators.js";
import { change, get } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { button, card, field, form, head, input, select } from "../parts/controls.js";
import { openDialog } from "../parts/dialog.js";
import { badge, empty, failure, loading, reportChange } from "../parts/feedback.js";
import { showOnce } from "./credentials/secret.js";
import { recognisedBy } from "./credentials/x509.js";
import { state } from "../parts/state.js";
import { lines, table } from "../parts/table.js";
import { go, link, pagePath, setQuery } from "../router.js";
import { distance, now } from "../time.js";

const SIZES = [25, 50, 100, 500];
const TYPING_MS = 200;
/** Attributes as name:value pairs; what is still being typed is none. */
const PAIRS = /^\s*(?:(?:"[^"]+"|[^\s:"]+):(?:"[^"]*"|[^\s"]+)(?:\s+|$))*$/;

export async function clientsPage({ realm, main, base, onLeave }) {
  const parameters = new URLSearchParams(location.search);
  let first = Math.max(0, Number.parseInt(parameters.get("first") || "0", 10) || 0);
  let asked = 0;
  const sizes = select(SIZES.map(String), parameters.get("max") || "25", { "aria-label": "Clients per page" });
  const size = () => Math.min(Math.max(1, Number(sizes.value) || SIZES[0]), SIZES.at(-1));
  const search = input(parameters.get("search") || "", {
    type: "search",
    placeholder: "Search by client ID",
    "aria-label": "Search by client ID",
  });
  const attributes = input(parameters.get("query") || "", {
    type: "search",
    placeholder: "Attributes, such as team:payments",
    "aria-label": "Search by attributes",
  });
  const list = h("div", {}, loading());
  const pager = h("nav", { class: "pager", "aria-label": "Pages" });
  const found = h("p", { class: "visually-hidden", role: "status" });

  async function show({ isNew = false } = {}) {
    if (!PAIRS.test(attributes.value)) return;
    const number = ++asked;
    const searched = { clientId: search.value, search: "true", q: attributes.value };
    const query = new URLSearchParams({ first: String(first), max: String(size()), ...searched });
    const shown = new URLSearchParams();
    if (search.value) shown.set("search", search.value);
    if (attributes.value) shown.set("query", attributes.value);
    if (first) shown.set("first", String(first));
    if (size() !== SIZES[0]) shown.set("max", String(size()));
    setQuery(shown, { isNew });
    try {
      const [clients, all] = await Promise.all([
        get(`${base}/clients?${query}`),
        get(`${base}/client-count?${new URLSearchParams(searched)}`),
      ]);
      if (number !== asked) return; // a later search was started meanwhile
      fill(list, clients.length ? rows(realm, clients) : nothing());
      found.textContent = clients.length ? `${inWords(all)} found` : "No client found";
      const isAll = !first && all.count <= SIZES[0] && !all.more;
      fill(pager, clients.length && !isAll ? turns(clients.length, all) : []);
    } catch (error) {
      fill(list, failure(error));
    }
  }

  const turn = (by) => {
    first = Math.max(0, first + by);
    return show({ isNew: true });
  };
  sizes.addEventListener("change", () => {
    first = 0;
    show();
  });
  const turns = (count, all) => [
    h("span", { class: "number" }, `${first + 1}–${first + count} of ${inWords(all)}`),
    h(
      "span",
      { class: "row" },
      h("label", { class: "row" }, "Per page", sizes),
      first > 0 && button("Previous", () => turn(-size()), { kind: "little" }),
      (all.more || first + count < all.count) && button("Next", () => turn(size()), { kind: "little" }),
    ),
  ];
  const clear = () => {
    search.value = attributes.value = "";
    first = 0;
    search.focus();
    return show();
  };
  const nothing = () =>
    search.value || attributes.value || first
      ? empty(
          "search",
          "No client found",
          attributes.value
            ? `No client in ${realm} has these attributes, and a matching client ID.`
            : `No client ID in ${realm} contains “${search.value}”.`,
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
  for (const control of [search, attributes])
    control.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        first = 0;
        show();
      }, TYPING_MS);
    });
  onLeave(() => clearTimeout(timer));
  fill(
    main,
    head("Clients", `Programs that authenticate in ${realm}.`, newClient("primary")),
    card(
      null,
      {},
      h(
        "div",
        { class: "toolbar" },
        h("div", { class: "search" }, icon("search"), search),
        h("div", { class: "search" }, icon("search"), attributes),
      ),
      found,
      list,
      pager,
    ),
  );
  await show();
}

/** How many clients there are, as a number with its noun. */
function inWords({ count, more }) {
  const number = count.toLocaleString("en");
  if (more) return `more than ${number} clients`;
  return count === 1 ? "1 client" : `${number} clients`;
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
  if (kind === "certificate") return recognisedBy(attributes) || badge("Not set up", "warning");
  if (kind === "issuer") return attributes["jwt.credential.issuer"] || badge("Not set up", "warning");
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
      const { fleet, id, body, sequence } = await change("POST", `${base}/clients`, { json });
      close();
      reportChange(`Client ${clientId.value} created.`, fleet);
      await go(pagePath(realm, "clients", id, "credentials"));
      // Where only digests are stored, it is shown now and never again.
      if (body.secret) showOnce({ value: body.secret, sequence });
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
