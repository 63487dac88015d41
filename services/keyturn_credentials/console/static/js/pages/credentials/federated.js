// The client's identity at an issuer that its realm trusts: a Kubernetes cluster, a SPIFFE trust domain, a CI system.
import { change } from "../../api.js";
import { card, field, form, input, select } from "../../parts/controls.js";
import { reportChange } from "../../parts/feedback.js";

const ISSUER = "jwt.credential.issuer";
const TEXTS = [
  ["jwt.credential.sub", "Federated subject", "system:serviceaccount:shop:orders", "The exact sub of the assertions."],
  [
    "keyturn.federated.subject-pattern",
    "Subject pattern",
    "repo:octo-org/*:ref:refs/heads/main",
    "Instead of a subject: * stands for a part between / and :. The client sends its client id.",
  ],
  ["keyturn.federated.audiences", "Audiences", "", "Separate with commas. Empty: those of the identity provider."],
  [
    "keyturn.federated.claims",
    "Required claims",
    '{"ref_protected": "true"}',
    "A JSON object. Assertions without these claims and values are rejected.",
  ],
];

/** `type` is the authenticator chosen above: it is saved with these settings. */
export function federatedCard({ client, version, path, providers, reload }, type) {
  const attributes = client.attributes || {};
  const saved = attributes[ISSUER] || "";
  const aliases = providers.map(({ alias, displayName }) => [alias, displayName || alias]);
  // An issuer that the realm does not have yet stays selectable.
  if (!aliases.some(([alias]) => alias === saved)) aliases.unshift([saved, saved || "Choose"]);
  const issuer = select(aliases, saved);
  const controls = TEXTS.map(([name, label, placeholder, help]) => [
    name,
    label,
    input(attributes[name] || "", { placeholder }),
    help,
  ]);

  async function action() {
    const values = {
      [ISSUER]: issuer.value,
      ...Object.fromEntries(controls.map(([name, , control]) => [name, control.value])),
    };
    const { fleet } = await change("PUT", path, {
      json: { clientAuthenticatorType: type, attributes: values },
      version,
    });
    await reportChange("Saved.", fleet, reload);
  }
  return card(
    "Federated identity",
    { note: "The client has no credential of its own: an identity provider of the realm signs its assertions." },
    form(
      { label: "Save", action, unsaved: true },
      field("Identity provider", issuer),
      controls.map(([, label, control, help]) => field(label, control, help)),
    ),
  );
}
