import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { badge, empty } from "../parts/feedback.js";
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
  ["due", "Due", "It is being rotated, or the next change to the client does it.", "expires_at", "expires"],
  ["overlapping", "Overlapping", "The former secret is also accepted.", "former_ends_at", "former ends"],
  ["expired", "Expired", "Rejected. Regenerate it.", "expires_at", "expired"],
];
const KINDS = { due: "warning", overlapping: "good", expired: "bad" };

export async function rotationsPage({ main, realm, base }) {
  async function show() {
    const [representation, keys, secrets, rotations] = await Promise.all([
      get(base),
      get(`${base}/keys`),
      get(`${base}/expiring-secrets?max=${MOST}`),
      get(`${base}/rotations?state=open&max=${MOST}`),
    ]);
    fill(
      main,
      head("Rotations", "Secrets and keys that are replaced before they expire. A client keeps its former secret until it uses the new one."),
      h(
        "div",
        { class: "pile" },
        underWayCard({ realm, base, rotations, reload: show }),
        card(
          "Client secrets",
          { note: "The status of each secret that expires." },
          secrets.length ? pipeline(realm, secrets) : noSecrets(),
        ),
        card("Upcoming", { note: "The next five weeks." }, calendar(realm, comingOf(secrets, keys))),
        policyCard({ base, attributes: representation.attributes || {}, reload: show }),
        signingKeysCard({ base, keys, reload: show }),
      ),
    );
  }
  await show();
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
function comingOf(secrets, { keys = [], rotatesAt = null }) {
  const found = secrets.flatMap(({ client_uuid, client_id: name, due_at, expires_at, former_ends_at }) => [
    { at: due_at, kind: "due", name, client_uuid },
    { at: expires_at, kind: "expires", name, client_uuid },
    { at: former_ends_at, kind: "former", name, client_uuid },
  ]);
  if (rotatesAt) found.push({ at: rotatesAt, kind: "signing", name: "Next key signs" });
  for (const { endsAt } of keys) found.push({ at: endsAt, kind: "signing", name: "Retired key removed" });
  return found.filter((entry) => entry.at).sort((one, other) => one.at - other.at);
}
