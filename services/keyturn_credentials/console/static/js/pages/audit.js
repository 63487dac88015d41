import { send } from "../api.js";
import { fill, freshId, h } from "../dom.js";
import { button, card, field, head, input } from "../parts/controls.js";
import { save } from "../parts/copying.js";
import { feed, nothingFound } from "../parts/feed.js";
import { lines } from "../parts/table.js";
import { clockTime } from "../time.js";
import { clientLink, spoken, TYPES } from "./events.js";

const ACTIONS = [
  ...TYPES,
  "rotation_moved",
  "rotation_secret_shown",
  "secret_shown",
  "secrets_listed",
  "call_denied",
  "console_signed_in",
  "console_sign_in_refused",
  "console_sessions_ended",
  "database_restored",
  "audit_log_accepted",
];

/** The code of an action that is filled in as the table shows it, or as a code. */
const codeOf = (text) => text.toLowerCase().replaceAll(/\s+/g, "_");

export async function auditPage({ main, realm, base, onLeave }) {
  const actor = input("", { placeholder: "Exactly" });
  const client = input("", { placeholder: "Exactly" });
  const known = h("datalist", { id: freshId() }, ACTIONS.map((each) => h("option", { value: spoken(each) })));
  const action = input("", { placeholder: "Any", list: known.id });
  const { list, controls, start, narrowed } = auditFeed(
    { realm, base, onLeave },
    {
      filters: [
        { name: "actor", control: actor },
        { name: "client_id", control: client },
        { name: "action", control: action, read: codeOf },
      ],
    },
  );
  const download = async () => {
    const response = await send("GET", narrowed(), { headers: { Accept: "application/jsonl" } });
    save(await response.blob(), `${realm}-audit.jsonl`);
  };
  fill(
    main,
    head("Audit", "Who did what to which client, when and from where.", [
      controls,
      button("Export JSON lines", download, { glyph: "download" }),
    ]),
    card(
      null,
      {},
      h("div", { class: "toolbar" }, field("Who", actor), field("Client ID", client), field("Action", action), known),
      list,
    ),
  );
  await start();
}

/** The audit log of a realm, or with `fixed` a part of it; that of one client does not name it. */
export const auditFeed = ({ realm, base, onLeave }, { filters = [], fixed = {} }) => {
  const isOfRealm = !fixed.client_uuid;
  return feed({
    path: `${base}/audit`,
    number: "id",
    caption: "Audit log",
    columns: ["When", "Who", "Action", ...(isOfRealm ? ["Client"] : []), "What changed", "Event"],
    row: (entry) => [
      clockTime(entry.time),
      author(entry),
      spoken(entry.action),
      ...(isOfRealm ? [entry.client_id && clientLink(realm, entry)] : []),
      changes(entry.details),
      entry.sequence && h("code", {}, `#${entry.sequence}`),
    ],
    nothing: nothingFound("audit", "No recorded action matches."),
    filters,
    fixed,
    onLeave,
  });
};

/** A client with its realm, or a person with its identity: anyone can choose a name. */
function author({ actor, remote_address: address }) {
  const { person } = actor;
  const origin = person ? [person.name && person.subject, person.issuer] : [actor.realm];
  return lines(person ? person.name || person.subject : actor.client_id, [...origin, address].filter(Boolean).join(", "));
}

const member = (name) => name.replace(/^attributes\./, "");
const shown = (value) => (value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value));

function changes(details) {
  const { changed = [], changes: values = {}, ...others } = details || {};
  const names = changed.filter((name) => !(name in values)).map(member);
  const told = Object.entries(values).map(([name, { from, to }]) => `${member(name)}: ${shown(from)} → ${shown(to)}`);
  const rest = Object.entries(others).map(([name, value]) => `${name}: ${shown(value)}`);
  const text = [...told, ...names, ...rest].join(", ");
  return text && h("span", { class: "small" }, text);
}
