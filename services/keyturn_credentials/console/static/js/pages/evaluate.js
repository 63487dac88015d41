// The Evaluate tab of a client: whether it would be let in, step by step, and what its token would say.
import { authenticator } from "../authenticators.js";
import { send } from "../api.js";
import { fill, h } from "../dom.js";
import { card, choices, field, form, input, select } from "../parts/controls.js";
import { announce, badge, empty, notice } from "../parts/feedback.js";
import { spoken } from "./events.js";

const KINDS = [
  ["request", "A token request", "Would the client get a token now, and what would the token say?"],
  ["token", "An access token", "Would a token of this client be accepted now?"],
];
const PASTED = {
  client_secret: ["Client secret", "Compared with the current secret and the former one."],
  client_assertion: ["Client assertion", "A signed JWT, as the client sends it. It stays unused."],
  access_token: ["Access token", "A token that this client has received."],
};
const NONE = ["", "None: show the token only"];
const RESULTS = { passed: ["Passed", "good"], failed: ["Failed", "bad"], skipped: ["Not checked", ""] };

// A page that the browser keeps for the way back must not keep what was pasted.
addEventListener("pagehide", () => {
  for (const control of document.querySelectorAll("[data-pasted]")) {
    /** @type {any} */ (control).value = "";
  }
});

/** @param {any} context */
export async function evaluateTab({ client, body, path }) {
  if (client.publicClient || client.bearerOnly)
    return fill(body, card(null, {}, empty("key", "No credentials", "This client does not get tokens with credentials of its own.")));
  const place = h("div", { class: "pile" });
  const asked = h("div", { class: "stack" });
  let ask = () => ({});

  function show(kind) {
    const made = kind === "token" ? tokenFields() : requestFields(client);
    ask = made.ask;
    fill(asked, made.fields);
    fill(place);
  }

  async function evaluate() {
    fill(place);
    const found = await (await send("POST", `${path}/evaluate`, { json: ask() })).json();
    fill(place, verdict(found), steps(found.steps), found.token && preview(found.token));
    announce(summary(found));
    place.querySelector("h2")?.focus();
  }

  show("request");
  fill(
    body,
    card(
      "Evaluate",
      { note: "Decided as a node decides, from the state now. Nothing that you paste is stored, logged or used up." },
      form(
        { label: "Evaluate", action: evaluate, novalidate: true },
        choices("What to evaluate", KINDS, "request", show),
        asked,
      ),
    ),
    place,
  );
}

/** Fields of a token request, and what they ask. */
function requestFields(client) {
  const scope = input("", { placeholder: "orders.read orders.write" });
  const audience = input("");
  const { credential } = authenticator(client.clientAuthenticatorType);
  const sendsSecret = client.clientAuthenticatorType === "client-secret";
  const possible = credential === "certificate" ? [] : [sendsSecret ? "client_secret" : "client_assertion"];
  const kind = select([NONE, ...possible.map((name) => [name, PASTED[name][0]])], "");
  const place = h("div", {});
  let control = null;
  kind.addEventListener("change", () => {
    control = kind.value ? pasted(kind.value) : null;
    fill(place, control && field(...labelled(kind.value, control)));
  });
  return {
    fields: [
      field("Scopes", scope, "Separated by spaces. None: the default scopes of the client."),
      field("Audiences", audience, "Separated by spaces. None: all that the client may have."),
      possible.length
        ? field("Credential", kind, credential === "secret" && "Testing a secret requires the admin role configure-clients.")
        : h("p", { class: "note" }, "A client certificate cannot be tested here: nodes check it on the connection."),
      place,
    ],
    ask: () => ({
      ...(scope.value.trim() && { scope: scope.value.trim() }),
      ...(words(audience.value).length && { audience: words(audience.value) }),
      ...(control && { [kind.value]: valueOf(control, kind.value) }),
    }),
  };
}

/** Fields of an access token, and what they ask. */
function tokenFields() {
  const token = pasted("access_token");
  const audience = input("");
  return {
    fields: [
      field(...labelled("access_token", token)),
      field("Audience", audience, "The resource server that the token is sent to. None: any."),
    ],
    ask: () => ({
      access_token: valueOf(token, "access_token"),
      ...(audience.value.trim() && { audience: audience.value.trim() }),
    }),
  };
}

const words = (text) => text.split(/\s+/).filter(Boolean);

const labelled = (name, control) => [PASTED[name][0], control, PASTED[name][1]];

/** A control for what is pasted; it is never filled in by the browser. */
const pasted = (name) =>
  name === "client_secret"
    ? input("", { type: "password", autocomplete: "new-password", "data-pasted": true })
    : h("textarea", { rows: 6, class: "mono", autocomplete: "off", spellcheck: "false", "data-pasted": true });

function valueOf(control, name) {
  const value = name === "client_secret" ? control.value : control.value.trim();
  if (!value) throw new Error(`Paste the ${PASTED[name][0].toLowerCase()} first.`);
  return value;
}

function summary({ accepted, steps: made }) {
  if (!accepted) return "It would be refused.";
  const open = made.some(({ check }) => check === "authentication");
  return open ? "A token would be issued, once the client has authenticated." : "It would be accepted.";
}

function verdict(found) {
  const failed = found.steps.find(({ result }) => result === "failed");
  return card(
    null,
    { "aria-label": "Result" },
    h("h2", { tabindex: "-1" }, summary(found)),
    notice(
      found.accepted ? "good" : "bad",
      failed
        ? [h("p", {}, failed.detail), h("p", {}, "What to do: ", failed.advice), failed.code && h("p", {}, "Code: ", h("code", {}, failed.code))]
        : h("p", {}, "No check failed."),
    ),
  );
}

const steps = (made) =>
  card(
    "Checks",
    { note: "In the order in which a node makes them. It stops at the first that fails." },
    h(
      "ol",
      { class: "checks", "aria-label": "Checks" },
      made.map(({ check, result, detail }) => {
        const [label, kind] = RESULTS[result] || [result, ""];
        return h(
          "li",
          { class: result },
          badge(label, kind),
          h("div", {}, h("h3", {}, spoken(check)), h("p", { class: "note" }, detail)),
        );
      }),
    ),
  );

const preview = ({ header, claims }) =>
  card(
    "Token",
    { note: "Header and claims without a signature, so nobody can use it." },
    part("Header of the token", header),
    part("Claims of the token", claims),
  );

const part = (label, members) =>
  h(
    "pre",
    { class: "snippet", tabindex: "0", role: "region", "aria-label": label },
    h("code", {}, JSON.stringify(members, null, 2)),
  );
