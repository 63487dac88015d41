// How the client proves itself, and the rules for that.
import { AUTHENTICATORS, authenticatorName } from "../../authenticators.js";
import { change } from "../../api.js";
import { fill, h } from "../../dom.js";
import { card, field, form, input, select } from "../../parts/controls.js";
import { confirm } from "../../parts/dialog.js";
import { notice, reportChange } from "../../parts/feedback.js";

const METHOD = "client.secret.authentication.allowed.method";
const ALGORITHM = "token.endpoint.auth.signing.alg";
const LONGEST = "token.endpoint.auth.signing.max.exp";
const ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const SYMMETRIC = ["HS256", "HS384", "HS512"];

/** `shown` is told of another choice, so that what belongs to it is there at once. */
export function authenticatorCard({ client, version, path, reload }, shown) {
  const attributes = client.attributes || {};
  const saved = client.clientAuthenticatorType;
  const type = select(AUTHENTICATORS, saved);
  const rules = h("div", { class: "columns" }, field("Client Authenticator", type));
  const hint = h("div", { role: "status" });
  let controls = {};

  function showRules() {
    controls = controlsOf(type.value, attributes);
    const others = Object.values(controls).map(({ label, control, help }) => field(label, control, help));
    // Not built anew: whoever chooses with the keyboard stays at the list box.
    for (const other of rules.querySelectorAll(".field:not(:first-child)")) other.remove();
    rules.append(...others);
    const text = `${client.clientId} still proves itself with ${authenticatorName(saved)}. Saving switches it.`;
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
    reportChange("Saved.", fleet);
    await reload();
  }
  return card(
    "Client authenticator",
    { note: "How this client proves who it is. Nothing else is accepted from it." },
    form({ label: "Save", action, unsaved: true, full: true }, rules, hint),
  );
}

function controlsOf(type, attributes) {
  if (type === "client-secret") {
    const options = [
      ["", "Basic header or request body"],
      ["client_secret_basic", "Basic header only"],
      ["client_secret_post", "Request body only"],
    ];
    const control = select(options, attributes[METHOD] || "");
    return {
      [METHOD]: {
        label: "Where the secret may be",
        control,
        help: "Elsewhere it is refused, right or wrong.",
      },
    };
  }
  if (type !== "client-jwt" && type !== "client-secret-jwt") return {};
  const algorithms = type === "client-jwt" ? ASYMMETRIC : SYMMETRIC;
  const present = attributes[ALGORITHM] === "any" ? "" : attributes[ALGORITHM] || "";
  const algorithm = select([["", "Any"], ...algorithms], algorithms.includes(present) ? present : "");
  const longest = input(attributes[LONGEST] || "", { type: "number", min: 1, max: 3600, placeholder: "60" });
  return {
    [ALGORITHM]: {
      label: "Signature Algorithm",
      control: algorithm,
      help: "Assertions signed with another one are refused.",
    },
    [LONGEST]: {
      label: "Longest life of an assertion, seconds",
      control: longest,
      help: "From when it was issued to when it expires.",
    },
  };
}

const warning = (client, type) => ({
  title: `Switch ${client.clientId} to ${authenticatorName(type)}?`,
  consequences: [
    `What it uses today, ${authenticatorName(client.clientAuthenticatorType)}, is refused by every node as soon as this is saved.`,
    "Until the program is set up for the new way, it gets no tokens.",
    "Present secrets and keys are kept: switching back makes them work again.",
  ],
  action: "Switch",
});
