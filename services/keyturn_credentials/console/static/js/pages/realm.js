import { change, get, getVersioned } from "../api.js";
import { fill, h } from "../dom.js";
import { button, card, head, input, select } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
import { checkEntry, editor, entry, newDraft } from "../parts/edits.js";
import { LOCKED_OUT } from "../parts/own.js";
import { act, deleting, disabling } from "../parts/ending.js";
import { badge, reportChange } from "../parts/feedback.js";
import { signingKeysCard } from "../parts/signing-keys.js";
import { DAY } from "../time.js";

const ALGORITHM = "keyturn.signing.algorithm";
const PERIOD = "keyturn.signing.rotation-period";
const NETWORKS = "keyturn.jwks.allowed-networks";
const DIGESTS = "keyturn.secret.digest-only";
const STRICT = "keyturn.strict-audience";
const ALGORITHMS = ["ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

export async function realmPage(context) {
  const { main, realm, base } = context;
  const draft = newDraft();
  async function show() {
    const [{ value, version }, keys, count] = await Promise.all([
      getVersioned(base),
      get(`${base}/keys`),
      // Who may not see clients does not learn how many there are.
      get(`${base}/client-count`).catch(() => null),
    ]);
    const known = { ...context, representation: value, version, count, reload: show, draft, kept: draft.take() };
    fill(
      main,
      head(
        [realm, " ", value.enabled ? badge("Enabled", "good") : badge("Disabled", "warning")],
        value.displayName || "Settings and signing keys of this realm.",
      ),
      h(
        "div",
        { class: "pile" },
        settings(known),
        signingKeysCard({ base, keys, reload: show }),
        ending(known),
      ),
    );
  }
  await show();
}

function settings(context) {
  const { representation } = context;
  const attributes = representation.attributes || {};
  const inDays = attributes[PERIOD] ? String(Number(attributes[PERIOD]) / DAY) : "";
  const display = entry("displayName", "Display name", input(representation.displayName || "", { maxlength: 255 }));
  const lifespan = entry(
    "accessTokenLifespan",
    "Access token lifespan (s)",
    input(String(representation.accessTokenLifespan), { type: "number", min: 1, max: 86400, required: true }),
    null,
    { write: Number },
  );
  const algorithm = entry(
    `attributes.${ALGORITHM}`,
    "Signature algorithm",
    select(ALGORITHMS, attributes[ALGORITHM] || "ES256"),
    "Changing this rotates the key.",
  );
  const period = entry(
    `attributes.${PERIOD}`,
    "Signing period (days)",
    input(inDays, { type: "number", min: 0.05, step: "any", placeholder: "90" }),
    null,
    { write: (text) => (text ? String(Math.round(Number(text) * DAY)) : "") },
  );
  const networks = entry(
    `attributes.${NETWORKS}`,
    "Private networks allowed for JWKS URLs",
    input(attributes[NETWORKS] || "", { placeholder: "None: public addresses only" }),
    "CIDRs, separated by commas. Anyone who can set a JWKS URL in this realm can reach these networks.",
  );
  const digests = checkEntry(
    `attributes.${DIGESTS}`,
    "Store only digests of secrets",
    attributes[DIGESTS] === "true",
    "A secret is then shown only once, when it is created. Signed JWT with Client Secret is not available.",
  );
  const strict = checkEntry(
    `attributes.${STRICT}`,
    "Strict audience",
    attributes[STRICT] === "true",
    "The audience of assertions must be this realm's issuer, not one of its URLs.",
  );
  const entries = [display, lifespan, algorithm, period, networks, digests, strict];
  return card(
    "Settings",
    {},
    editor(
      { ...context, path: context.base, entries: () => entries },
      display.element,
      h("div", { class: "columns" }, lifespan.element, algorithm.element, period.element),
      networks.element,
      digests.element,
      strict.element,
    ),
  );
}

function ending({ representation, version, count, base, realm, session, reload }) {
  const own =
    session.client_id &&
    session.realm === realm &&
    `The client that you are signed in with belongs to ${realm}. ${LOCKED_OUT}`;
  async function clear() {
    const sure = await confirm({
      title: `Clear the key cache of ${realm}?`,
      consequences: [
        "Every key set fetched for this realm's clients is fetched again before it is used again.",
        "A client whose JWKS URL does not respond then is rejected until it does.",
      ],
      action: "Clear",
    });
    if (!sure) return;
    const { fleet } = await change("POST", `${base}/clear-keys-cache`);
    reportChange("Key cache cleared.", fleet);
  }
  const isMaster = realm === "master";
  const refused = "Every node rejects all clients and access tokens of this realm.";
  return card(
    "Keys and access",
    {},
    act(
      "Clear the key cache",
      "All fetched key sets of this realm's clients, on every node.",
      button("Clear key cache", clear, { kind: "danger calm" }),
    ),
    !isMaster &&
      disabling({
        name: realm,
        enabled: representation.enabled,
        path: base,
        version,
        consequences: [refused, "Nothing is lost: everything works again once the realm is enabled.", own],
        text: "Applies to all clients and tokens of the realm at once.",
        reload,
      }),
    !isMaster &&
      deleting({
        name: realm,
        what: "realm",
        path: base,
        version,
        consequences: [
          refused,
          `${inAll(count)} deleted, with all secrets, keys and settings. This cannot be undone.`,
          own,
        ],
        typed: realm,
        leave: "/console/",
        reload,
      }),
  );
}

/** How many clients are concerned, with the verb. */
function inAll(count) {
  if (!count) return "All of its clients are";
  if (count.more) return `More than ${count.count.toLocaleString("en")} clients are`;
  return count.count === 1 ? "1 client is" : `${count.count.toLocaleString("en")} clients are`;
}
