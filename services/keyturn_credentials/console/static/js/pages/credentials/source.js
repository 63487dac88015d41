// The source of the public keys of a client with signed JWTs.
import { keySource } from "../../authenticators.js";
import { change, send } from "../../api.js";
import { fill, h } from "../../dom.js";
import { button, card, choices, field, form, input } from "../../parts/controls.js";
import { confirm } from "../../parts/dialog.js";
import { failure, loading, notice, reportChange } from "../../parts/feedback.js";
import { certificatePanel } from "./certificate.js";
import { keyTable } from "./keys.js";

const SOURCES = [
  ["jwks_url", "JWKS URL", "The client serves its keys; keyturn keeps them up to date."],
  ["jwks", "Inline JWKS", "A JSON Web Key Set stored here."],
  ["certificate", "Certificate or key", "Generated here or imported."],
];

export function sourceCard(context) {
  const saved = keySource(context.client.attributes) || "jwks_url";
  const panel = h("div", {});
  const panels = { jwks_url: urlPanel, jwks: inlinePanel, certificate: certificatePanel };
  const show = (source) => fill(panel, panels[source](context));
  show(saved);
  return card(
    "Keys of the client",
    { note: "Used to verify the client's assertions. keyturn never stores a client's private key." },
    choices("Key source", SOURCES, saved, show),
    panel,
  );
}

/** Ask for confirmation if keys that work today would stop working. */
async function switchTo({ client }, source, what) {
  const present = keySource(client.attributes);
  if (present === null || present === source) return true;
  return confirm({
    title: "Replace the key source?",
    consequences: [
      `Every node rejects the keys that ${client.clientId} uses today, unless they are also ${what}.`,
    ],
    action: "Replace",
  });
}

function urlPanel(context) {
  const { client, path, version, reload } = context;
  const url = input(client.attributes["jwks.url"] || "", {
    required: true,
    placeholder: "https://client.example/jwks.json",
    inputmode: "url",
  });
  const result = h("div", { role: "status" });

  async function test() {
    fill(result, loading("Fetching…"));
    try {
      const answer = await (await send("POST", `${path}/jwks-url/test`, { json: { url: url.value } })).json();
      fill(result, answer.error ? refusal(answer) : found(answer));
    } catch (error) {
      fill(result, failure(error));
    }
  }

  async function action() {
    if (!(await switchTo(context, "jwks_url", "served at this URL"))) throw new Error("Nothing was saved.");
    const attributes = { "use.jwks.url": "true", "use.jwks.string": "false", "jwks.url": url.value };
    const { fleet } = await change("PUT", path, { json: { attributes }, version });
    await reportChange("Saved.", fleet, reload);
  }
  return form(
    { label: "Save", action, unsaved: true, full: true, others: button("Test now", test) },
    field(
      "JWKS URL",
      url,
      "Fetched once for the whole fleet, and again before it becomes stale or when an unknown key ID appears. A key removed there is rejected within a bounded time.",
    ),
    result,
  );
}

const refusal = ({ error, detail }) =>
  notice(
    "bad",
    h("p", {}, "No keys: ", h("code", {}, error), detail ? `, ${detail}` : ""),
    h("p", {}, "Nothing was changed by this test."),
  );

function found({ keys, skipped }) {
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  const left = skipped.map(({ kid, reason, detail }) =>
    h("li", {}, h("code", {}, kid || "without kid"), ": ", detail || reason),
  );
  return h(
    "div",
    { class: "pile" },
    notice(
      keys.length ? "good" : "warning",
      h("p", {}, `The URL answers with ${plural(keys.length, "usable key")}.`),
    ),
    keys.length > 0 && keyTable(keys, { caption: "Keys at the URL" }),
    left.length > 0 &&
      notice("warning", h("p", {}, `${plural(left.length, "key")} cannot be used:`), h("ul", {}, left)),
  );
}

function inlinePanel(context) {
  const { client, path, version, reload } = context;
  const jwks = h(
    "textarea",
    { rows: 9, class: "mono", spellcheck: "false", required: true, placeholder: '{"keys": [ … ]}' },
    indented(client.attributes["jwks.string"] || ""),
  );
  async function action() {
    if (!(await switchTo(context, "jwks", "in this set"))) throw new Error("Nothing was saved.");
    const attributes = { "use.jwks.url": "false", "use.jwks.string": "true", "jwks.string": jwks.value };
    const { fleet } = await change("PUT", path, { json: { attributes }, version });
    await reportChange("Saved.", fleet, reload);
  }
  return form(
    { label: "Save", action, unsaved: true, full: true },
    field(
      "JSON Web Key Set",
      jwks,
      "Public keys only: a set that contains a private key is rejected. Keys removed from the set are rejected at once.",
    ),
  );
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
