// The fleet, live: nodes with position, lag and lease, and the propagation of each change.
import { change } from "../api.js";
import { fill, h, refill } from "../dom.js";
import { icon } from "../icons.js";
import { live } from "../live.js";
import { button, card, head } from "../parts/controls.js";
import { badge, empty, failure, loading, notice } from "../parts/feedback.js";
import { lines, table } from "../parts/table.js";
import { spoken } from "./events.js";
import { Flows } from "./flows.js";

export async function fleetPage({ main, realm, base, onLeave }) {
  const verdict = h("div", { role: "status" }, loading("Connecting…"));
  const nodes = h("div", {});
  const flows = new Flows();
  let paused = false;
  let said = "";

  const pause = h("button", { type: "button", class: "button little", "aria-pressed": "false" }, "Pause");
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Resume" : "Pause";
    if (!paused && live.latest) show(live.latest);
  });
  // A change without effect: no credential is touched, but every node must apply it.
  const measure = async () => {
    await change("PUT", base, { json: { realm } });
  };

  function show(fleet) {
    if (paused) return;
    if (fleet.error) return fill(verdict, lostView(fleet));
    const text = JSON.stringify([fleet.safe, fleet.head, fleet.applied, fleet.fenced, fleet.pending]);
    if (text !== said) fill(verdict, verdictOf(fleet));
    said = text;
    flows.show(fleet);
    return refill(nodes, fleet.nodes.length ? nodeTable(fleet) : noNodes());
  }
  fill(
    main,
    head(
      "Fleet",
      "A change is safe once every node has applied it or cannot answer.",
      button("Send a test change", measure, { glyph: "fleet" }),
    ),
    h(
      "div",
      { class: "pile" },
      verdict,
      card(
        "Changes",
        { note: "When each change reached the nodes, in milliseconds after it was published.", actions: pause },
        flows.element,
      ),
      card("Nodes", {}, nodes),
    ),
  );
  onLeave(live.listen(show));
}

const lostView = ({ error }) =>
  error === "lost"
    ? notice("warning", h("p", {}, "The live view lost its connection and is reconnecting."))
    : failure(
        new Error(
          "The state of the fleet is unknown: Redis is not responding. No change is reported as safe until it is known again.",
        ),
      );

function verdictOf(fleet) {
  const { safe, head: newest, applied, fenced, pending } = fleet;
  const held = fleet.nodes.filter((node) => node.lease === "held").length;
  const text = safe
    ? `No node answers from a state older than event ${newest}.`
    : `Event ${newest} has not reached every node yet: ${pending.join(", ")}.`;
  const count = (number, name) =>
    h("div", {}, h("dt", {}, name), h("dd", { class: "number" }, String(number)));
  return h(
    "div",
    { class: `verdict ${safe ? "good" : "warning"}` },
    icon(safe ? "check" : "warning"),
    h("div", {}, h("h2", {}, safe ? "Safe now" : "Propagating"), h("p", {}, text)),
    h(
      "dl",
      {},
      count(applied, "applied"),
      count(fenced, "fenced"),
      count(pending.length, "pending"),
      count(`${held} of ${fleet.nodes.length}`, "hold a lease"),
    ),
  );
}

const noNodes = () =>
  empty(
    "fleet",
    "No nodes",
    "No verifier has joined. Start one with keyturn verifier; until then, no credentials are checked.",
  );

const STANDINGS = {
  applied: ["Applied", "good"],
  fenced: ["Fenced", "warning"],
  pending: ["Pending", "bad"],
};

const nodeTable = (fleet) =>
  table(
    "Nodes",
    ["Node", "Position", "State", "Lag", "Lease", "Version", "Last error"],
    fleet.nodes.map((node) => [
      lines(h("span", { class: "strong" }, node.name || node.id), node.base_url || node.id),
      lines(
        h("span", { class: "number" }, `#${node.applied}`),
        node.behind ? `${node.behind} behind` : "at the head",
      ),
      badge(...(STANDINGS[node.standing] || [node.standing])),
      h("span", { class: "number" }, `${node.lag_ms || 0} ms`),
      lease(node),
      node.version,
      node.last_error && spoken(node.last_error),
    ]),
  );

function lease(node) {
  if (node.lease !== "held")
    return node.serves_stale ? badge("expired, serves stale data", "bad") : badge("expired, rejects requests", "warning");
  const bar = h("span", { class: "lease" }, h("span", {}));
  const term = node.lease_left_ms + node.renewed_ms_ago;
  bar.firstElementChild.style.width = `${Math.round((100 * node.lease_left_ms) / term)}%`;
  return h(
    "span",
    { class: "row" },
    bar,
    h("span", { class: "number" }, `${(node.lease_left_ms / 1000).toFixed(1)} s left`),
  );
}
