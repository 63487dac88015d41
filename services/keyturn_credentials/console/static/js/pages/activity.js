// The Activity tab of a client: what was done to it, and why its authentications were refused.
import { get } from "../api.js";
import { fill, h, refill } from "../dom.js";
import { button, card } from "../parts/controls.js";
import { empty } from "../parts/feedback.js";
import { table } from "../parts/table.js";
import { clockTime } from "../time.js";
import { auditFeed } from "./audit.js";
import { spoken } from "./events.js";

const MOST = 20;

/** The audit entries of one client, and its recent refusals. @param {any} context */
export async function activityTab({ client, body, path, ...context }) {
  const { list, controls, start } = auditFeed(context, { fixed: { client_uuid: client.id } });
  const refusals = h("div", {});
  const show = async () => refill(refusals, refusalTable(await get(`${path}/refusals?max=${MOST}`)));
  fill(
    body,
    card(
      "Refused authentications",
      {
        actions: button("Look again", show),
        note: "A sample from all nodes, some seconds old: why this client was refused, and where from. Callers are told less.",
      },
      refusals,
    ),
    card(
      "Activity",
      { actions: controls, note: "Every change to this client, who made it, and from where." },
      list,
    ),
  );
  // Redis may be away; what was done to the client is in the database.
  await Promise.all([start(), show().catch((error) => refill(refusals, empty("warning", "Not known now", error.message)))]);
}

const refusalTable = (found) =>
  found.length
    ? table(
        "Refused authentications",
        ["When", "Reason", "Method", "From"],
        found.map((each) => [
          clockTime(each.time),
          h("span", {}, spoken(each.code), " ", h("code", {}, each.code)),
          each.method,
          each.address,
        ]),
      )
    : empty("key", "None recorded", "No node has refused this client lately.");
