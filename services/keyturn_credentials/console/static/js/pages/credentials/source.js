// The source of the public keys of a client with signed JWTs.
import { keySource } from "../../authenticators.js";
import { send } from "../../api.js";
import { fill, h } from "../../dom.js";
import { button, card, choices, input } from "../../parts/controls.js";
import { entry } from "../../parts/edits.js";
import { fetchReason } from "../../parts/fetch-words.js";
import { failure, loading, notice } from "../../parts/feedback.js";
import { LOCKED_OUT, ofOwn } from "../../parts/own.js";
import { certificatePanel } from "./certificate.js";
import { keyTable } from "./keys.js";

const SOURCES = [
  ["jwks_url", "JWKS URL", "The client serves its keys; keyturn keeps them up to date."],
  ["jwks", "Inline JWKS", "A JSON Web Key Set stored here."],
  ["certificate", "Certificate or key", "Generated here or imported."],
];

/** Returns the card, its entries, and `replacing()`: what to confirm if keys that work today would stop working. */
export function sourcePart(context) {
  const { client } = context;
  const attributes = client.attributes || {};
  const saved = keySource(attributes);
  const first = saved || "jwks_url";
  const hasOwn = attributes["jwt.credential.certificate"] || attributes["jwt.credential.public.key"];
  const panel = h("div", {});
  const panels = { jwks_url: urlPanel(context), jwks: inlinePanel(context), certificate: [null, certificatePanel(context)] };
  let chosen = first;
  const show = (source) => {
    chosen = source;
    const [content, others] = panels[source];
    fill(panel, content?.element, others);
  };
  const choice = choices("Key source", SOURCES, first, show);
  show(first);

  // A certificate that is not here yet cannot be chosen: it is generated or imported.
  const wanted = () => (chosen === "certificate" && !hasOwn ? first : chosen);
  const content = () => panels[wanted()][0];
  const source = {
    name: "key source",
    label: "Key source",
    first,
    stored: first,
    value: wanted,
    set: (value) => {
      choice.querySelector(`input[value="${value}"]`).checked = true;
      show(value);
    },
    text: (value) => SOURCES.find(([known]) => known === value)?.[1] ?? value,
    members: () => switches(wanted()),
  };
  // A source that is chosen with its first content is switched on with it.
  const withSwitches = (each) => ({
    ...each,
    members: () => ({ ...switches(wanted()), [each.name]: each.value() }),
  });
  return {
    element: card(
      "Keys of the client",
      { note: "Used to verify the client's assertions. keyturn never stores a client's private key." },
      choice,
      panel,
    ),
    entries: () => [source, ...(content() ? [withSwitches(content())] : [])],
    replacing: () => (saved === null || saved === wanted() ? null : replacing(context, wanted())),
  };
}

const switches = (source) => ({
  "attributes.use.jwks.url": String(source === "jwks_url"),
  "attributes.use.jwks.string": String(source === "jwks"),
});

const WHERE = { jwks_url: "served at this URL", jwks: "in this set", certificate: "stored here" };

const replacing = (context, source) => ({
  title: "Replace the key source?",
  consequences: [
    `Every node rejects the keys that ${context.client.clientId} uses today, unless they are also ${WHERE[source]}.`,
    ofOwn(context, context.client, LOCKED_OUT),
  ],
  action: "Replace",
});

function urlPanel({ client, path }) {
  const saved = keySource(client.attributes);
  const url = input(client.attributes["jwks.url"] || "", {
    required: saved === "jwks_url",
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
  const content = entry(
    "attributes.jwks.url",
    "JWKS URL",
    url,
    "Fetched once for the whole fleet, and again before it becomes stale or when an unknown key ID appears. A key removed there is rejected within a bounded time.",
  );
  return [content, h("div", { class: "pile" }, h("div", { class: "row" }, button("Test now", test)), result)];
}

const refusal = ({ error, detail }) =>
  notice(
    "bad",
    h("p", {}, "No keys: ", fetchReason(error, detail)),
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

function inlinePanel({ client }) {
  const jwks = h(
    "textarea",
    { rows: 9, class: "mono", spellcheck: "false", required: true, placeholder: '{"keys": [ … ]}' },
    indented(client.attributes["jwks.string"] || ""),
  );
  const content = entry(
    "attributes.jwks.string",
    "JSON Web Key Set",
    jwks,
    "Public keys only: a set that contains a private key is rejected. Keys removed from the set are rejected at once.",
  );
  return [content, null];
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
