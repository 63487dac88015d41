// From where the public keys of a client with signed JWTs come.
import { keySource } from "../../authenticators.js";
import { change, send } from "../../api.js";
import { fill, h } from "../../dom.js";
import { button, card, choices, field, form, input } from "../../parts/controls.js";
import { confirm } from "../../parts/dialog.js";
import { failure, loading, notice, reportChange } from "../../parts/feedback.js";
import { certificatePanel } from "./certificate.js";
import { keyTable } from "./keys.js";

const SOURCES = [
  ["jwks_url", "JWKS URL", "The client serves its keys; keyturn follows them."],
  ["jwks", "Inline JWKS", "A JSON Web Key Set kept here."],
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
    { note: "Assertions are checked with these. keyturn keeps no private key of a client." },
    choices("Source of the keys", SOURCES, saved, show),
    panel,
  );
}

/** Ask, where keys that work today stop working. */
async function switchTo({ client }, source, what) {
  const present = keySource(client.attributes);
  if (present === null || present === source) return true;
  return confirm({
    title: "Replace the source of the keys?",
    consequences: [
      `The keys that ${client.clientId} uses today are refused by every node, unless they are ${what} too.`,
    ],
    action: "Replace it",
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
    reportChange("Saved.", fleet);
    await reload();
  }
  return form(
    { label: "Save", action, unsaved: true, full: true, others: button("Test now", test) },
    field(
      "JWKS URL",
      url,
      "Fetched once for the whole fleet, again before it gets stale, and when a key ID is new. A key withdrawn there is refused within a bound.",
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
    reportChange("Saved.", fleet);
    await reload();
  }
  return form(
    { label: "Save", action, unsaved: true, full: true },
    field(
      "JSON Web Key Set",
      jwks,
      "Public keys only: a set with a private key in it is refused. Keys that are not in it any more are refused at once.",
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
