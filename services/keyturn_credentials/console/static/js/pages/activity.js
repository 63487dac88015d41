import { fill } from "../dom.js";
import { card } from "../parts/controls.js";
import { auditFeed } from "./audit.js";

/** The audit entries of one client. @param {any} context */
export async function activityTab({ client, body, ...context }) {
  const { list, controls, start } = auditFeed(context, { fixed: { client_uuid: client.id } });
  fill(
    body,
    card(
      "Activity",
      { actions: controls, note: "Every change to this client, who made it, and from where." },
      list,
    ),
  );
  await start();
}
