// The fleet in one line: whether every change is in effect everywhere.
import { fill, h } from "../dom.js";
import { live } from "../live.js";
import { isUnknown } from "./on-its-way.js";
import { link, pagePath } from "../router.js";

let stop = () => {};

/** The line of a realm; it follows the fleet until the next one is created. */
export function pulse(realm) {
  stop();
  const lamp = h("span", { class: "lamp" });
  const verdict = h("strong", {}, "Fleet");
  const detail = h("small", {}, "Connecting…");
  stop = live.listen((fleet) => {
    const { kind, title, text } = inOneLine(fleet);
    lamp.className = `lamp ${kind}`;
    fill(verdict, title);
    fill(detail, text);
  });
  return link(pagePath(realm, "fleet"), [lamp, verdict, detail], { class: "pulse" });
}

/** The description of the fleet: `{kind, title, text}`. */
export function inOneLine(fleet) {
  if (fleet.error === "lost") return { kind: "bad", title: "No connection", text: "Trying again…" };
  if (fleet.error) return { kind: "bad", title: "Fleet unknown", text: "Redis is not responding" };
  if (isUnknown(fleet))
    return { kind: "warning", title: "Fleet unknown", text: "Redis has lost what it knew of the nodes" };
  const nodes = fleet.nodes.length;
  if (nodes === 0) return { kind: "warning", title: "No nodes", text: "No node checks credentials" };
  const event = `event ${fleet.head}`;
  if (!fleet.safe)
    return { kind: "warning", title: "Propagating", text: `${event}, ${fleet.pending.length} pending` };
  const held = fleet.nodes.filter((node) => node.lease === "held").length;
  if (held < nodes) return { kind: "warning", title: "Safe now", text: `${held} of ${nodes} nodes answer` };
  return { kind: "good", title: "Safe now", text: `${event} on ${nodes} node${nodes === 1 ? "" : "s"}` };
}
