import { fill, h } from "../dom.js";
import { card, field, head, input, select } from "../parts/controls.js";
import { feed, nothingFound } from "../parts/feed.js";
import { link, pagePath } from "../router.js";
import { clockTime, exact } from "../time.js";

export const TYPES = [
  "client_created",
  "client_updated",
  "client_deleted",
  "client_secret_rotated",
  "client_secret_revoked",
  "client_keys_changed",
  "client_key_revoked",
  "client_keys_cache_cleared",
  "client_rotation_failed",
  "realm_created",
  "realm_updated",
  "realm_keys_rotated",
  "realm_keys_cache_cleared",
  "token_revoked",
];

/** Format "client_key_revoked" for people. */
export const spoken = (type) => type.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());

export async function eventsPage({ main, realm, base, onLeave }) {
  const type = select([["", "All"], ...TYPES.map((name) => [name, spoken(name)])], "");
  const client = input("", { placeholder: "Exactly" });
  const { list, controls, start } = feed({
    path: `${base}/event-log`,
    number: "sequence",
    caption: "Events",
    columns: ["Event", "What", "Client", "Details", "When"],
    row: (event) => [
      h("code", {}, `#${event.sequence}`),
      spoken(event.type),
      event.client_id && clientLink(realm, event),
      details(event.details),
      clockTime(event.time),
    ],
    nothing: nothingFound("events", "No event in this realm matches."),
    filters: [
      { name: "type", control: type },
      { name: "client_id", control: client },
    ],
    onLeave,
  });
  fill(
    main,
    head("Events", "Every change in this realm, in order: the log that every node follows.", controls),
    card(null, {}, h("div", { class: "toolbar" }, field("Type", type), field("Client ID", client)), list),
  );
  await start();
}

export const clientLink = (realm, entry) =>
  entry.client_uuid && !/_deleted$/.test(entry.type || entry.action)
    ? link(pagePath(realm, "clients", entry.client_uuid, "credentials"), entry.client_id)
    : entry.client_id;

const NAMES = {
  thumbprint: "Thumbprint",
  source: "Source",
  active_kid: "Signs with",
  previous_client_id: "Was",
  former_valid_until: "Former accepted until",
};

function details(members) {
  const known = Object.entries(members).filter(([, value]) => value !== null && value !== undefined);
  if (!known.length) return null;
  return h(
    "div",
    {},
    known.map(([name, value]) => {
      const text = name.endsWith("_until") ? exact(value) : String(value);
      return h("small", {}, `${NAMES[name] || name} `, h("code", {}, text));
    }),
  );
}
