import { get } from "../api.js";
import { fill, h, refill } from "../dom.js";
import { newDraft } from "../parts/edits.js";
import { badge, empty, loading } from "../parts/feedback.js";
import { card, head } from "../parts/controls.js";
import { signingKeysCard } from "../parts/signing-keys.js";
import { link, pagePath } from "../router.js";
import { exact, moment } from "../time.js";
import { calendar } from "./calendar.js";
import { policyCard } from "./policy.js";
import { underWayCard } from "./under-way.js";

const LISTED = 5;
const MOST = 500;
const STAGES = [
  ["in_force", "Current", "One valid secret.", "expires_at", "expires"],
  ["due", "Due", "It is being rotated, or soon will be.", "expires_at", "expires"],
  ["overlapping", "Overlapping", "The former secret is also accepted.", "former_ends_at", "former ends"],
  ["expired", "Expired", "Rejected. Regenerate it.", "expires_at", "expired"],
];
const KINDS = { due: "warning", overlapping: "good", expired: "bad" };

export async function rotationsPage({ main, realm, base, onLeave }) {
  const secretsPlace = h("div", {}, loading());
  const calendarPlace = h("div", { class: "pile" });
  const policyPlace = h("div", {}, loading());
  const keysPlace = h("div", {});

  const draft = newDraft();

  /** Everything but the policy, which somebody may be editing. */
  async function showTimes() {
    const [keys, secrets, plan] = await Promise.all([
      get(`${base}/keys`),
      get(`${base}/expiring-secrets?max=${MOST}`),
      get(`${base}/rotations/plan?max=${MOST}`),
    ]);
    refill(secretsPlace, secrets.length ? pipeline(realm, secrets) : noSecrets());
    refill(calendarPlace, calendar(realm, comingOf(plan, secrets, keys)));
    refill(keysPlace, signingKeysCard({ base, keys, reload: showTimes }));
  }
  async function showPolicy() {
    const { attributes = {} } = await get(base);
    const reload = () => Promise.all([showPolicy(), showTimes()]);
    refill(
      policyPlace,
      policyCard({ base, path: base, attributes, reload, draft, kept: draft.take() }),
    );
  }

  const underWay = underWayCard({ realm, base, onLeave, changed: showTimes });
  fill(
    main,
    head(
      "Rotations",
      "A rotation gives a client a new secret and keeps the former one valid until the client has used the new one. There are two exceptions: a policy that ends the former secret in any case, and a secret that is compromised.",
      link(pagePath(realm, "rotations", "campaign"), "Rotate many clients", { class: "button" }),
    ),
    h(
      "div",
      { class: "pile" },
      underWay.card,
      card("Client secrets", { note: "The status of each secret that expires." }, secretsPlace),
      card("Upcoming", { note: "The next five weeks, by the policies in force." }, calendarPlace),
      policyPlace,
      keysPlace,
    ),
  );
  await Promise.all([showTimes(), showPolicy(), underWay.start()]);
}

const noSecrets = () =>
  empty(
    "rotations",
    "No secret expires",
    "Set a policy below: secrets created under it appear here, with their expiry dates.",
  );

const pipeline = (realm, secrets) =>
  h(
    "ol",
    { class: "pipeline" },
    STAGES.map(([stage, title, text, time, word]) => {
      const there = secrets.filter((entry) => entry.stage === stage);
      return h(
        "li",
        { class: there.length ? "stage" : "stage none-there" },
        h(
          "div",
          { class: "row apart" },
          h("h3", {}, title),
          badge(String(there.length), there.length ? KINDS[stage] : ""),
        ),
        h("p", { class: "help" }, text),
        h(
          "ul",
          {},
          there
            .slice(0, LISTED)
            .map((entry) =>
              h(
                "li",
                {},
                link(pagePath(realm, "clients", entry.client_uuid, "credentials"), entry.client_id),
                h("small", { class: "quiet", title: exact(entry[time]) }, `${word} `, moment(entry[time])),
              ),
            ),
          there.length > LISTED && h("li", { class: "quiet small" }, `and ${there.length - LISTED} more`),
        ),
      );
    }),
  );

/** Everything with a date; see `calendar`. */
function comingOf(plan, secrets, { keys = [], rotatesAt = null }) {
  const found = [
    ...plan.map(({ client_uuid, client_id: name, at, effect }) => {
      return { at, kind: effect === "expires" ? "expires" : "due", name, client_uuid };
    }),
    ...secrets.map(({ client_uuid, client_id: name, former_ends_at: at }) => {
      return { at, kind: "former", name, client_uuid };
    }),
  ];
  if (rotatesAt) found.push({ at: rotatesAt, kind: "signing", name: "Next key signs" });
  for (const { endsAt } of keys) found.push({ at: endsAt, kind: "signing", name: "Retired key removed" });
  return found.filter((entry) => entry.at).sort((one, other) => one.at - other.at);
}
