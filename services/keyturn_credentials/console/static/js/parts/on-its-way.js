// A change on its way to the nodes: how many have it, shown while it travels.
import { ApiError, get, realmPath } from "../api.js";
import { fill, h } from "../dom.js";
import { live } from "../live.js";
import { report } from "./feedback.js";

const WAIT_SECONDS = 15;

/** A line that follows a change until it is closed: `{element, stop}`. `sequence`: of its event. */
export function onItsWay(sequence) {
  const element = h("p", { class: "note", role: "status" }, "On its way to the nodes.");
  const stop = live.listen((fleet) => fill(element, inWords(fleet, sequence)));
  return { element, stop };
}

/** Whether the live view may lack nodes: Redis does not answer, or has lost what it knew of them. */
export const isUnknown = (fleet) => Boolean(fleet.error) || !fleet.trusted || fleet.waits_settled_in_ms > 0;

/** How far an event has come, in one sentence. `fleet`: the live view. */
export function inWords(fleet, sequence) {
  if (isUnknown(fleet)) return "How many nodes have this change is not known now. See Fleet.";
  const { nodes } = fleet;
  if (!nodes.length) return "No node has joined, so nothing checks credentials now.";
  const have = nodes.filter((node) => node.applied >= sequence).length;
  const silent = nodes.filter((node) => node.applied < sequence && node.lease !== "held" && !node.serves_stale).length;
  const rest = silent ? `, and ${silent} cannot answer` : "";
  const count = `${have} of ${nodes.length} nodes have this change${rest}`;
  return have + silent === nodes.length ? `Safe now: ${count}.` : `On its way: ${count}.`;
}

/** Wait until the fleet has applied an event, and report it like every change. */
export async function reportWhenSettled(what, realm, sequence) {
  const begun = performance.now();
  const path = `${realmPath(realm)}/fleet?sequence=${sequence}&wait=${WAIT_SECONDS}`;
  try {
    const fleet = await get(path);
    const { safe, applied, fenced, nodes } = fleet;
    const milliseconds = performance.now() - begun;
    report(what, { safe, unknown: isUnknown(fleet), applied, fenced, nodes: nodes.length, sequence, milliseconds });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    report(what, { safe: false, unknown: true });
  }
}
