// The client's authenticator and its rules.
import { authenticator, authenticatorChoices } from "../../authenticators.js";
import { fill, h } from "../../dom.js";
import { card, input, select } from "../../parts/controls.js";
import { entry } from "../../parts/edits.js";
import { notice } from "../../parts/feedback.js";
import { LOCKED_OUT, ofOwn } from "../../parts/own.js";

const TYPE = "clientAuthenticatorType";
const METHOD = "client.secret.authentication.allowed.method";
const ALGORITHM = "token.endpoint.auth.signing.alg";
const LONGEST = "token.endpoint.auth.signing.max.exp";

/**
 * `shown` is called with another choice, so that its settings appear at once. Returns the card, its entries, and
 * `chosen()`.
 */
export function authenticatorPart({ client }, shown) {
  const attributes = client.attributes || {};
  const saved = client.clientAuthenticatorType;
  const type = entry(TYPE, "Client Authenticator", select(authenticatorChoices(), saved));
  const rules = h("div", { class: "columns" }, type.element);
  const hint = h("div", { role: "status" });
  let others = [];

  function showRules() {
    const chosen = type.value();
    others = rulesOf(chosen, attributes);
    // Not rebuilt, so that keyboard focus stays at the list box.
    for (const other of rules.querySelectorAll(".field:not(:first-child)")) other.remove();
    rules.append(...others.map(({ element }) => element));
    const text = `${client.clientId} still authenticates with ${authenticator(saved).label}. Save to switch.`;
    fill(hint, chosen !== saved && notice("warning", h("p", {}, text)));
  }
  type.control.addEventListener("change", () => {
    showRules();
    shown(type.value());
  });
  showRules();
  return {
    element: card(
      "Client authenticator",
      { note: "The only way in which this client can authenticate." },
      rules,
      hint,
    ),
    entries: () => [type, ...others],
    chosen: () => type.value(),
  };
}

/** The rules of an authenticator, as entries. */
function rulesOf(type, attributes) {
  const { credential, algorithms } = authenticator(type);
  if (credential === "secret" && !algorithms.length) {
    const options = [
      ["", "Basic header or request body"],
      ["client_secret_basic", "Basic header only"],
      ["client_secret_post", "Request body only"],
    ];
    const control = select(options, attributes[METHOD] || "");
    return [entry(`attributes.${METHOD}`, "Allowed method", control, "Secrets sent any other way are rejected.")];
  }
  if (!algorithms.length) return [];
  const stored = attributes[ALGORITHM] || "";
  const present = algorithms.includes(stored) ? stored : "";
  const algorithm = select([["", "Any"], ...algorithms], present);
  const longest = input(attributes[LONGEST] || "", { type: "number", min: 1, max: 3600, placeholder: "60" });
  return [
    entry(
      `attributes.${ALGORITHM}`,
      "Signature Algorithm",
      algorithm,
      "Assertions signed with any other algorithm are rejected.",
      // What another authenticator left behind is written over.
      { stored: stored === "any" ? "" : stored },
    ),
    entry(
      `attributes.${LONGEST}`,
      "Max expiration (s)",
      longest,
      "How many seconds after its issue an assertion may be used.",
    ),
  ];
}

/** The consequences of a switch, for the confirmation. */
export const switching = (context, type) => {
  const { client } = context;
  return {
    title: `Switch ${client.clientId} to ${authenticator(type).label}?`,
    consequences: [
      `Every node rejects the current method, ${authenticator(client.clientAuthenticatorType).label}, as soon as this is saved.`,
      "The client gets no tokens until it is configured for the new method.",
      "Current secrets and keys are kept: switching back makes them work again.",
      ofOwn(context, client, LOCKED_OUT),
    ],
    action: "Switch",
  };
};
