// The frame around all pages: realm, navigation, the state of the fleet, and the page in the address.
import { realmPath, signOut, userOf } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { live } from "./live.js";
import { auditPage } from "./pages/audit.js";
import { campaignPage } from "./pages/campaign.js";
import { clientPage } from "./pages/client.js";
import { clientsPage } from "./pages/clients.js";
import { clientScopesPage } from "./pages/client-scopes.js";
import { eventsPage } from "./pages/events.js";
import { fleetPage } from "./pages/fleet.js";
import { jwksUrlsPage } from "./pages/jwks-urls.js";
import { noticesPage } from "./pages/notices.js";
import { realmPage } from "./pages/realm.js";
import { rotationPage } from "./pages/rotation.js";
import { rotationsPage } from "./pages/rotations.js";
import { notFound } from "./pages/not-found.js";
import { iconButton } from "./parts/controls.js";
import { failure, loading } from "./parts/feedback.js";
import { noticeCount } from "./parts/notice-count.js";
import { pulse } from "./parts/pulse.js";
import { realmChoice } from "./parts/realm-choice.js";
import { follow, here, link, mayLeave, pagePath } from "./router.js";

const CAMPAIGN = "campaign";
const NOTICES = "notices";
const PAGES = [
  { path: "clients", label: "Clients", glyph: "clients", show: clientsPage },
  { path: "client-scopes", label: "Client scopes", glyph: "scopes", show: clientScopesPage },
  { path: "fleet", label: "Fleet", glyph: "fleet", show: fleetPage },
  { path: "rotations", label: "Rotations", glyph: "rotations", show: rotationsPage },
  { path: NOTICES, label: "Notices", glyph: "warning", show: noticesPage },
  { path: "jwks-urls", label: "JWKS URLs", glyph: "globe", show: jwksUrlsPage },
  { path: "events", label: "Events", glyph: "events", show: eventsPage },
  { path: "audit", label: "Audit", glyph: "audit", show: auditPage },
  { path: "realm", label: "Realm", glyph: "realm", show: realmPage },
];

const NOT_FOUND = { path: null, label: "Not found", show: ({ main, realm }) => notFound(main, realm) };

/** Show the console for a session; `cameIn`: the user just signed in, so the focus starts at the page. */
export function start(app, session, cameIn = false) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const menu = h("ul", { class: "menu" });
  const realms = h("div", {});
  const fleet = h("div", {});
  const out = iconButton("out", "Sign out", async () => {
    if (!(await mayLeave())) return;
    leave();
    count?.stop();
    await signOut();
    location.assign("/console/");
  });
  fill(
    app,
    h(
      "div",
      { class: "shell" },
      h(
        "header",
        { class: "side" },
        h(
          "div",
          {},
          h(
            "a",
            { class: "brand", href: "/console/" },
            h("img", { src: "/console/static/icon.svg", alt: "", width: 26, height: 26 }),
            "keyturn",
          ),
          realms,
          h("nav", { "aria-label": "Main" }, menu),
          h(
            "div",
            { class: "side-foot" },
            fleet,
            h("div", { class: "who" }, h("span", { title: session.person?.subject ?? session.client_id }, userOf(session)), out),
          ),
        ),
      ),
      main,
    ),
  );

  let leave = () => {};
  let shownRealm = null;
  let count = null;

  async function show(moved) {
    leave();
    const [realm = session.realm, path = "clients", ...rest] = here();
    const page = PAGES.find((each) => each.path === path) || NOT_FOUND;
    live.follow(realm);
    if (realm !== shownRealm) {
      shownRealm = realm;
      count?.stop();
      count = noticeCount(realm);
      fill(realms, realmChoice(realm));
      fill(fleet, pulse(realm));
    }
    fill(
      menu,
      PAGES.map((each) => menuItem(realm, each, each === page, each.path === NOTICES && count.place)),
    );
    document.title = `${page.label} · ${realm} · keyturn`;
    // Each page has its own element, so a page that loads too late writes into one that is no longer visible.
    const place = h("div", { class: "page" }, loading());
    fill(main, place);
    const leaving = [];
    leave = () => leaving.splice(0).forEach((action) => action());
    const context = {
      realm,
      main: place,
      session,
      base: realmPath(realm),
      onLeave: (action) => leaving.push(action),
    };
    try {
      await showPage(page, context, rest);
    } catch (error) {
      fill(place, failure(error));
    }
    if (moved) (place.querySelector("h1") || main).focus({ preventScroll: true });
  }

  follow(show);
  show(cameIn);
}

/** Show a page, or one below it: a client, a rotation, a campaign. */
function showPage(page, context, [name, tab]) {
  if (!name) return page.show(context);
  if (page.path === "clients") return clientPage(context, name, tab);
  if (page.path === "rotations") return name === CAMPAIGN ? campaignPage(context) : rotationPage(context, name);
  return page.show(context);
}

const menuItem = (realm, page, isCurrent, more) =>
  h(
    "li",
    {},
    link(pagePath(realm, page.path), [icon(page.glyph), page.label, more], { "aria-current": isCurrent && "page" }),
  );
