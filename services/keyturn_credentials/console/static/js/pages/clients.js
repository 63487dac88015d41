import { change, get } from "../api.js";
import { badge, busy, button, card, copyable, empty, failure, field, input, reportChange, table } from "../components.js";
import { fill, h, icon } from "../dom.js";
import { go, link, pagePath } from "../shell.js";

const PAGE = 25;

export const AUTHENTICATORS = [
  ["client-secret", "Client Id and Secret"],
  ["client-jwt", "Signed JWT"],
  ["client-secret-jwt", "Signed JWT with Client Secret"],
  ["client-x509", "X509 Certificate"],
];

export async function clientsPage({ realm, main, base }) {
  const parameters = new URLSearchParams(location.search);
  let first = Number(parameters.get("first") || 0);
  const search = input(parameters.get("search") || "", { type: "search", placeholder: "Client ID", "aria-label": "Search clients" });
  const list = h("div", { "aria-live": "polite" });
  const pager = h("div", { class: "pager" });

  async function show() {
    const query = new URLSearchParams({ first, max: PAGE + 1 });
    if (search.value) query.set("clientId", search.value), query.set("search", "true");
    const shown = new URLSearchParams(search.value ? { search: search.value, first } : { first });
    history.replaceState(null, "", `${location.pathname}?${shown}`);
    try {
      const found = await get(`${base}/clients?${query}`);
      const page = found.slice(0, PAGE);
      fill(list, page.length ? rows(page) : nothing());
      fill(
        pager,
        first > 0 ? button("Previous", () => { first = Math.max(0, first - PAGE); show(); }) : null,
        page.length ? h("span", {}, `${first + 1}–${first + page.length}`) : null,
        found.length > PAGE ? button("Next", () => { first += PAGE; show(); }) : null,
      );
    } catch (error) {
      fill(list, failure(error));
    }
  }

  const rows = (page) =>
    table(
      "Clients",
      ["Client ID", "Authenticator", "State", "Name"],
      page.map((client) => [
        link(pagePath(realm, "clients", client.id), client.clientId, { class: "strong" }),
        AUTHENTICATORS.find(([id]) => id === client.clientAuthenticatorType)?.[1] || client.clientAuthenticatorType,
        client.enabled ? badge("Enabled", "good") : badge("Disabled"),
        client.name,
      ]),
    );

  const nothing = () =>
    search.value
      ? empty("No client found", `No client ID in ${realm} contains “${search.value}”.`, button("Clear the search", () => { search.value = ""; first = 0; show(); }))
      : empty("No clients yet", "A client is a program that proves who it is: by a secret, or by a JWT signed with its own key.", button("Create a client", create, { kind: "primary", glyph: "plus" }));

  function create() {
    const clientId = input("", { required: true, maxlength: 255 });
    const submit = h("button", { class: "button primary" }, "Create");
    const dialog = h(
      "dialog",
      { "aria-label": "Create a client", onclose: () => dialog.remove() },
      h(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            busy(submit, async () => {
              const { fleet, location: place } = await change("POST", `${base}/clients`, { json: { clientId: clientId.value, serviceAccountsEnabled: true } });
              dialog.close();
              reportChange(`Created ${clientId.value}.`, fleet);
              go(pagePath(realm, "clients", place.split("/").pop(), "credentials"));
            });
          },
        },
        h("h2", {}, "Create a client"),
        field("Client ID", clientId, "What the client calls itself at the token endpoint."),
        h("div", { class: "actions end" }, button("Cancel", () => dialog.close()), submit),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  }

  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { first = 0; show(); }, 200);
  });
  fill(
    main,
    h("header", { class: "page" }, h("div", {}, h("h1", {}, "Clients"), h("p", { class: "lead" }, `Programs that authenticate in ${realm}.`)), button("Create a client", create, { kind: "primary", glyph: "plus" })),
    card(null, {}, h("div", { class: "search" }, icon("search"), search), list, pager),
  );
  await show();
}
