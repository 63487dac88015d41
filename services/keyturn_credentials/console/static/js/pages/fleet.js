// The fleet, live: nodes with position, lag and lease, and each change flowing over them.
import { badge, card, empty, notice, table } from "../components.js";
import { fill, h } from "../dom.js";

const KEPT = 8;

export async function fleetPage({ main, base, onLeave }) {
  const state = h("div", { class: "verdict", "aria-live": "polite" });
  const changes = h("div", { class: "flows" });
  const nodes = h("div", {});
  fill(
    main,
    h("header", { class: "page" }, h("div", {}, h("h1", {}, "Fleet"), h("p", { class: "lead" }, "When a change is safe: every node has applied it, or cannot answer."))),
    state,
    card("Changes", { note: "As they reach the nodes." }, changes),
    card("Nodes", {}, nodes),
  );
  const flows = new Map();
  const source = new EventSource(`${base}/fleet/stream`);
  onLeave(() => source.close());
  source.onerror = () => fill(state, notice("The live view lost its connection; it tries again by itself.", "warning"));
  source.onmessage = (message) => {
    const fleet = JSON.parse(message.data);
    showState(state, fleet);
    follow(flows, fleet);
    fill(changes, flows.size ? [...flows.values()].reverse().map(flow) : empty("Nothing has changed yet", "Change a client, and watch it reach every node here."));
    fill(nodes, fleet.nodes.length ? nodeTable(fleet) : empty("No nodes", "No verifier has registered. Start one: keyturn verifier."));
  };
}

function showState(place, fleet) {
  const held = fleet.nodes.filter((node) => node.lease === "held").length;
  const calm = fleet.pending.length === 0;
  fill(
    place,
    h(
      "div",
      { class: `banner ${calm ? "good" : "warning"}` },
      h("strong", {}, calm ? "Safe now" : "A change is on its way"),
      h("span", {}, `Event ${fleet.head}. ${fleet.applied} applied, ${fleet.fenced} fenced, ${fleet.pending.length} pending. ${held} of ${fleet.nodes.length} nodes hold a lease.`),
    ),
  );
}

/** Keep, per change, when each node was first seen to have applied it. */
function follow(flows, fleet) {
  for (const flowing of fleet.recent || []) flows.set(flowing.sequence, { ...flowing, nodes: { ...(flows.get(flowing.sequence)?.nodes || {}), ...flowing.applied_ms } });
  for (const sequence of [...flows.keys()].slice(0, -KEPT)) flows.delete(sequence);
}

function flow(change) {
  const times = Object.values(change.nodes);
  const slowest = Math.max(0, ...times);
  return h(
    "div",
    { class: "flow" },
    h("div", { class: "flow-head" }, h("code", {}, `#${change.sequence}`), h("span", {}, change.type?.replaceAll("_", " ")), change.client_id ? h("strong", {}, change.client_id) : null, change.safe ? badge(`safe after ${Math.round(change.safe_ms ?? slowest)} ms`, "good") : badge("on its way", "warning")),
    h("ul", { class: "dots" }, Object.entries(change.nodes).map(([node, milliseconds]) => h("li", { title: `${node}: ${milliseconds} ms` }, h("span", { class: "dot" }), `${Math.round(milliseconds)} ms`))),
  );
}

const nodeTable = (fleet) =>
  table(
    "Nodes",
    ["Node", "Applied", "Behind", "Lag", "Lease", "Version", "Last error"],
    fleet.nodes.map((node) => [
      h("span", {}, h("code", { class: "cut", title: node.id }, node.id), node.base_url ? h("small", {}, node.base_url) : null),
      String(node.applied),
      node.behind ? badge(`${node.behind} behind`, "warning") : badge("up to date", "good"),
      node.lag_ms ? `${node.lag_ms} ms` : "0 ms",
      node.lease === "held" ? badge(`${(node.lease_left_ms / 1000).toFixed(0)} s left`, "good") : badge("expired", "bad"),
      node.version,
      node.last_error,
    ]),
  );
