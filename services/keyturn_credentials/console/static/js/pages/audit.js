import { send } from "../api.js";
import { fill, h } from "../dom.js";
import { button, card, field, head, input } from "../parts/controls.js";
import { save } from "../parts/copying.js";
import { feed, nothingFound } from "../parts/feed.js";
import { lines } from "../parts/table.js";
import { clockTime } from "../time.js";
import { clientLink, spoken } from "./events.js";

export async function auditPage({ main, realm, base, onLeave }) {
  const actor = input("", { placeholder: "Exactly" });
  const client = input("", { placeholder: "Exactly" });
  const action = input("", { placeholder: "client_secret_rotated" });
  const { list, controls, start } = auditFeed(
    { realm, base, onLeave },
    {
      filters: [
        { name: "actor", control: actor },
        { name: "client_id", control: client },
        { name: "action", control: action },
      ],
    },
  );
  const download = async () => {
    const response = await send("GET", `${base}/audit`, { headers: { Accept: "application/jsonl" } });
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
      h("div", { class: "toolbar" }, field("Who", actor), field("Client ID", client), field("Action", action)),
      list,
    ),
  );
  await start();
}

/** The audit log of a realm, or with `fixed` a part of it. */
export const auditFeed = ({ realm, base, onLeave }, { filters = [], fixed = {} }) =>
  feed({
    path: `${base}/audit`,
    number: "id",
    caption: "Audit log",
    columns: ["When", "Who", "Action", "Client", "What changed", "Event"],
    row: (entry) => [
      clockTime(entry.time),
      lines(entry.actor.client_id, [entry.actor.realm, entry.remote_address].filter(Boolean).join(", ")),
      spoken(entry.action),
      entry.client_id && clientLink(realm, entry),
      changes(entry.details),
      entry.sequence && h("code", {}, `#${entry.sequence}`),
    ],
    nothing: nothingFound("audit", "No recorded action matches."),
    filters,
    fixed,
    onLeave,
  });

function changes(details) {
  const { changed, ...others } = details || {};
  const names = (changed || []).map((name) => name.replace(/^attributes\./, ""));
  const rest = Object.entries(others).map(
    ([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const text = [...names, ...rest].join(", ");
  return text && h("span", { class: "small" }, text);
}
