import { change, get, getVersioned } from "../api.js";
import { fill, h } from "../dom.js";
import { button, card, checkbox, field, form, head, input, select } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
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
  async function show() {
    const [{ value, version }, keys] = await Promise.all([getVersioned(base), get(`${base}/keys`)]);
    const known = { ...context, representation: value, version, reload: show };
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

function settings({ representation, version, base, reload }) {
  const attributes = representation.attributes || {};
  const display = input(representation.displayName || "", { maxlength: 255 });
  const lifespan = input(String(representation.accessTokenLifespan), {
    type: "number",
    min: 1,
    max: 86400,
    required: true,
  });
  const algorithm = select(ALGORITHMS, attributes[ALGORITHM] || "ES256");
  const period = input(attributes[PERIOD] ? String(Number(attributes[PERIOD]) / DAY) : "", {
    type: "number",
    min: 0.05,
    step: "any",
    placeholder: "90",
  });
  const networks = input(attributes[NETWORKS] || "", { placeholder: "None: public addresses only" });
  const digests = checkbox(
    "Store only digests of secrets",
    attributes[DIGESTS] === "true",
    "A secret is then shown only once, when it is created. Signed JWT with Client Secret is not available.",
  );
  const strict = checkbox(
    "Strict audience",
    attributes[STRICT] === "true",
    "The audience of assertions must be this realm's issuer, not one of its URLs.",
  );

  async function action() {
    const json = {
      displayName: display.value,
      accessTokenLifespan: Number(lifespan.value),
      attributes: {
        [ALGORITHM]: algorithm.value,
        [PERIOD]: period.value ? String(Math.round(Number(period.value) * DAY)) : "",
        [NETWORKS]: networks.value,
        [DIGESTS]: digests.box.checked ? "true" : "",
        [STRICT]: strict.box.checked ? "true" : "",
      },
    };
    const { fleet } = await change("PUT", base, { json, version });
    await reportChange("Saved.", fleet, reload);
  }
  return card(
    "Settings",
    {},
    form(
      { label: "Save", action, unsaved: true },
      field("Display name", display),
      h(
        "div",
        { class: "columns" },
        field("Access token lifespan (s)", lifespan),
        field("Signature algorithm", algorithm, "Changing this rotates the key."),
        field("Signing period (days)", period),
      ),
      field(
        "Private networks allowed for JWKS URLs",
        networks,
        "CIDRs, separated by commas. Anyone who can set a JWKS URL in this realm can reach these networks.",
      ),
      digests.line,
      strict.line,
    ),
  );
}

function ending({ representation, version, base, realm, reload }) {
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
        consequences: [refused, "Nothing is lost: everything works again once the realm is enabled."],
        text: "Applies to all clients and tokens of the realm at once.",
        reload,
      }),
    !isMaster &&
      deleting({
        name: realm,
        what: "realm",
        path: base,
        version,
        consequences: [refused, "Its clients, secrets, keys and settings are deleted. This cannot be undone."],
        leave: "/console/",
      }),
  );
}
