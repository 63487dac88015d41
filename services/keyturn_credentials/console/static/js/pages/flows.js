// Propagating changes: one line each, with a mark for every node that has applied it.
import { fill, h } from "../dom.js";
import { badge, empty } from "../parts/feedback.js";
import { spoken } from "./events.js";

const KEPT = 8;
const NAMED = 4;
const SCALES_MS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000];

/** The newest changes. All lines have one scale, so that they can be compared. */
export class Flows {
  #known = new Map();
  element = h("div", {});

  /** Take the fleet's state; unchanged lines stay as they are. */
  show(fleet) {
    const recent = fleet.recent || [];
    for (const flow of recent) this.#known.set(flow.sequence, { ...this.#known.get(flow.sequence), flow });
    const kept = [...this.#known.keys()].sort((one, other) => other - one);
    for (const sequence of kept.splice(KEPT)) this.#known.delete(sequence);
    if (!kept.length) return fill(this.element, waiting());
    const scale = scaleOf([...this.#known.values()].map(({ flow }) => flow));
    for (const known of this.#known.values()) draw(known, fleet.nodes, scale);
    const lines = kept.map((sequence) => this.#known.get(sequence).element);
    const list = h("ol", { class: "flows" }, lines);
    return fill(this.element, axis(scale), list);
  }
}

const milliseconds = (time) => (time < 1000 ? `${Math.round(time)} ms` : `${(time / 1000).toFixed(1)} s`);

const waiting = () =>
  empty(
    "fleet",
    "Waiting for a change",
    "Change a client, or send a test change, and watch it reach every node.",
  );

function scaleOf(flows) {
  const slowest = Math.max(
    ...flows.map((flow) => Math.max(flow.safe_ms ?? 0, ...Object.values(flow.applied_ms))),
  );
  return SCALES_MS.find((scale) => scale >= slowest) || slowest;
}

const axis = (scale) =>
  h(
    "div",
    { class: "flow scale-line", "aria-hidden": "true" },
    h("span", {}),
    h(
      "div",
      { class: "scale" },
      [0, scale / 2, scale].map((at) => h("span", { class: "number" }, milliseconds(at))),
    ),
  );

/** Create or update the line of a change, unless it is complete. */
function draw(known, nodes, scale) {
  const text = JSON.stringify([known.flow, nodes.length, scale]);
  if (known.text === text) return;
  known.text = text;
  known.element ||= h("li", { class: "flow" });
  fill(known.element, lineOf(known.flow, nodes, scale));
}

function lineOf(flow, nodes, scale) {
  const names = new Map(nodes.map((node) => [node.id, node.name || node.id]));
  const times = Object.entries(flow.applied_ms).sort(([, one], [, other]) => one - other);
  const lane = h("div", { class: flow.safe ? "lane safe" : "lane", "aria-hidden": "true" });
  const reached = h("span", { class: "reached" });
  reached.style.width = `${(100 * (flow.safe_ms ?? (times.at(-1)?.[1] || 0))) / scale}%`;
  lane.append(reached);
  for (const [id, time] of times) {
    const dot = h("span", { class: "dot", title: `${names.get(id) || id}: ${milliseconds(time)}` });
    dot.style.left = `${Math.min(100, (100 * time) / scale)}%`;
    lane.append(dot);
  }
  const verdict = flow.safe
    ? badge(`Safe after ${milliseconds(flow.safe_ms)}`, "good")
    : badge(`${times.length} of ${nodes.length} nodes`, "warning");
  return [
    h(
      "div",
      { class: "flow-what" },
      h("code", {}, `#${flow.sequence}`),
      h("span", {}, spoken(flow.type)),
      flow.client_id && h("strong", {}, flow.client_id),
    ),
    h("div", { class: "flow-way" }, lane, h("p", { class: "quiet small number" }, inWords(times, names))),
    h("div", { class: "flow-verdict" }, verdict),
  ];
}

function inWords(times, names) {
  if (!times.length) return "No node has applied it yet";
  const each = ([id, time]) => `${names.get(id) || id} ${milliseconds(time)}`;
  if (times.length <= NAMED) return times.map(each).join("  ·  ");
  const [first, middle, last] = [0, Math.floor(times.length / 2), times.length - 1].map((at) => times[at][1]);
  return `${times.length} nodes: first ${milliseconds(first)}, median ${milliseconds(middle)}, last ${milliseconds(last)}`;
}
