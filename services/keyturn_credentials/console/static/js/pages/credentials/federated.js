// The client's identity at an issuer that its realm trusts: a Kubernetes cluster, a SPIFFE trust domain, a CI system.
import { card, input, select } from "../../parts/controls.js";
import { h } from "../../dom.js";
import { entry } from "../../parts/edits.js";

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

export function federatedPart({ client, providers }) {
  const attributes = client.attributes || {};
  const saved = attributes[ISSUER] || "";
  const aliases = providers.map(({ alias, displayName }) => [alias, displayName || alias]);
  // An issuer that the realm does not have yet stays selectable.
  if (!aliases.some(([alias]) => alias === saved)) aliases.unshift([saved, saved || "Choose"]);
  const entries = [
    entry(`attributes.${ISSUER}`, "Identity provider", select(aliases, saved)),
    ...TEXTS.map(([name, label, placeholder, help]) =>
      entry(`attributes.${name}`, label, input(attributes[name] || "", { placeholder }), help),
    ),
  ];
  return {
    element: card(
      "Federated identity",
      { note: "The client has no credential of its own: an identity provider of the realm signs its assertions." },
      h("div", { class: "stack" }, entries.map(({ element }) => element)),
    ),
    entries: () => entries,
  };
}
