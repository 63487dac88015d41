// The frame around all pages: realm, navigation, and the page that the address names.
import { get, realmPath, signOut } from "./api.js";
import { failure, select } from "./components.js";
import { fill, h, icon } from "./dom.js";
import { auditPage } from "./pages/audit.js";
import { clientPage } from "./pages/client.js";
import { clientsPage } from "./pages/clients.js";
import { eventsPage } from "./pages/events.js";
import { fleetPage } from "./pages/fleet.js";
import { keySetsPage } from "./pages/keysets.js";
import { realmPage } from "./pages/realm.js";
import { rotationsPage } from "./pages/rotations.js";

const PAGES = [
  { path: "clients", label: "Clients", glyph: "clients", show: clientsPage },
  { path: "fleet", label: "Fleet", glyph: "fleet", show: fleetPage },
  { path: "rotations", label: "Rotations", glyph: "rotations", show: rotationsPage },
  { path: "key-sets", label: "JWKS URLs", glyph: "globe", show: keySetsPage },
  { path: "events", label: "Events", glyph: "events", show: eventsPage },
  { path: "audit", label: "Audit", glyph: "audit", show: auditPage },
  { path: "realm", label: "Realm", glyph: "realm", show: realmPage },
];

let leave = null;

/** Show another page without loading the document again. */
export function go(path) {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
  scrollTo(0, 0);
}

export const pagePath = (realm, ...parts) => ["/console", realm, ...parts].map((part, index) => (index ? encodeURIComponent(part) : part)).join("/");

/** A link that stays in the console. */
export function link(path, label, properties = {}) {
  return h(
    "a",
    {
      href: path,
      onclick: (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(path);
      },
      ...properties,
    },
    label,
  );
}

export function start(app, session) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const navigation = h("ul", {});
  const realms = h("div", { class: "realm-choice" });
  fill(
    app,
    h(
      "div",
      { class: "shell" },
      h(
        "nav",
        { class: "side", "aria-label": "Main" },
        h("a", { class: "brand", href: "/console" }, h("img", { src: "/console/static/icon.svg", alt: "", width: 28, height: 28 }), "keyturn"),
        realms,
        navigation,
        h(
          "div",
          { class: "who" },
          h("span", { title: session.client_id }, session.client_id),
          h("button", { type: "button", class: "bare", "aria-label": "Sign out", onclick: async () => { await signOut(); location.assign("/console"); } }, icon("out")),
        ),
      ),
      main,
    ),
  );

  async function listRealms(current) {
    let names = [current];
    try {
      names = (await get("/admin/realms")).map((realm) => realm.realm);
    } catch {
      // An admin of one realm may not list them; the one at hand is enough.
    }
    const choice = select(names.map((name) => [name, name]), current, {
      "aria-label": "Realm",
      onchange: (event) => go(pagePath(event.target.value, "clients")),
    });
    fill(realms, choice);
  }

  async function show() {
    const [realm = session.realm, place = "clients", ...rest] = location.pathname
      .replace(/^\/console\/?/, "")
      .split("/")
      .filter(Boolean)
      .map(decodeURIComponent);
    const page = PAGES.find((each) => each.path === place) || PAGES[0];
    fill(
      navigation,
      PAGES.map((each) =>
        h("li", {}, link(pagePath(realm, each.path), [icon(each.glyph), h("span", {}, each.label)], { "aria-current": each === page ? "page" : null })),
      ),
    );
    if (realms.firstChild?.value !== realm) await listRealms(realm);
    leave?.();
    leave = null;
    document.title = `${page.label} · ${realm} · keyturn`;
    fill(main, h("p", { class: "loading" }, "Loading…"));
    const context = { realm, main, session, base: realmPath(realm), onLeave: (action) => { leave = action; } };
    try {
      if (page.path === "clients" && rest.length) await clientPage(context, rest[0], rest[1]);
      else await page.show(context);
    } catch (error) {
      fill(main, failure(error));
    }
  }

  onpopstate = show;
  show();
}
