// The client's authenticator and its rules.
import { authenticator, authenticatorChoices } from "../../authenticators.js";
import { change } from "../../api.js";
import { fill, h } from "../../dom.js";
import { card, field, form, input, select } from "../../parts/controls.js";
import { confirm } from "../../parts/dialog.js";
import { notice, reportChange } from "../../parts/feedback.js";

const METHOD = "client.secret.authentication.allowed.method";
const ALGORITHM = "token.endpoint.auth.signing.alg";
const LONGEST = "token.endpoint.auth.signing.max.exp";

/** `shown` is called with another choice, so that its settings appear at once. */
export function authenticatorCard({ client, version, path, reload }, shown) {
  const attributes = client.attributes || {};
  const saved = client.clientAuthenticatorType;
  const type = select(authenticatorChoices(), saved);
  const rules = h("div", { class: "columns" }, field("Client Authenticator", type));
  const hint = h("div", { role: "status" });
  let controls = {};

  function showRules() {
    controls = controlsOf(type.value, attributes);
    const others = Object.values(controls).map(({ label, control, help }) => field(label, control, help));
    // Not rebuilt, so that keyboard focus stays at the list box.
    for (const other of rules.querySelectorAll(".field:not(:first-child)")) other.remove();
    rules.append(...others);
    const text = `${client.clientId} still authenticates with ${authenticator(saved).label}. Save to switch.`;
    fill(hint, type.value !== saved && notice("warning", h("p", {}, text)));
  }
  type.addEventListener("change", () => {
    showRules();
    shown(type.value);
  });
  showRules();

  async function action() {
    if (type.value !== saved && !(await confirm(warning(client, type.value))))
      throw new Error("Nothing was saved.");
    const chosen = Object.entries(controls).map(([name, { control }]) => [name, control.value]);
    const json = { clientAuthenticatorType: type.value, attributes: Object.fromEntries(chosen) };
    const { fleet } = await change("PUT", path, { json, version });
    await reportChange("Saved.", fleet, reload);
  }
  return card(
    "Client authenticator",
    { note: "The only way in which this client can authenticate." },
    form({ label: "Save", action, unsaved: true, full: true }, rules, hint),
  );
}

function controlsOf(type, attributes) {
  const { credential, algorithms } = authenticator(type);
  if (credential === "secret" && !algorithms.length) {
    const options = [
      ["", "Basic header or request body"],
      ["client_secret_basic", "Basic header only"],
      ["client_secret_post", "Request body only"],
    ];
    const control = select(options, attributes[METHOD] || "");
    return {
      [METHOD]: {
        label: "Allowed method",
        control,
        help: "Secrets sent any other way are rejected.",
      },
    };
  }
  if (!algorithms.length) return {};
  const present = attributes[ALGORITHM] === "any" ? "" : attributes[ALGORITHM] || "";
  const algorithm = select([["", "Any"], ...algorithms], algorithms.includes(present) ? present : "");
  const longest = input(attributes[LONGEST] || "", { type: "number", min: 1, max: 3600, placeholder: "60" });
  return {
    [ALGORITHM]: {
      label: "Signature Algorithm",
      control: algorithm,
      help: "Assertions signed with any other algorithm are rejected.",
    },
    [LONGEST]: {
      label: "Max expiration (s)",
      control: longest,
      help: "How many seconds after its issue an assertion may be used.",
    },
  };
}

const warning = (client, type) => ({
  title: `Switch ${client.clientId} to ${authenticator(type).label}?`,
  consequences: [
    `Every node rejects the current method, ${authenticator(client.clientAuthenticatorType).label}, as soon as this is saved.`,
    "The client gets no tokens until it is configured for the new method.",
    "Current secrets and keys are kept: switching back makes them work again.",
  ],
  action: "Switch",
});
