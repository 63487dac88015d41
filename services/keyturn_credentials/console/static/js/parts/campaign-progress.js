// A campaign while it runs, and what became of it.
import { MAX_FAILURES, handled } from "../campaign.js";
import { fill, h } from "../dom.js";
import { link, pagePath } from "../router.js";
import { exact } from "../time.js";
import { button, facts } from "./controls.js";
import { LISTED, many } from "./counted.js";
import { failure, notice } from "./feedback.js";
import { table } from "./table.js";

/** What a campaign of `count` clients says while it runs. */
export function progressView(count, abort) {
  const bar = h("progress", { max: count, value: 0, "aria-label": "Clients done" });
  const text = h("p", {}, "Starting …");
  const title = h("h2", { tabindex: "-1" }, "Rotating");
  const stop = button("Stop", abort, { kind: "danger calm" });
  const say = (words) => fill(text, words);
  return {
    element: h(
      "section",
      { class: "card" },
      h("header", {}, h("div", {}, title, h("p", { class: "note" }, `Stops after more than ${MAX_FAILURES} failures. Keep this page in the foreground: browsers slow down pages in the background.`)), stop),
      h("div", {}, bar),
      text,
    ),
    focus: () => title.focus(),
    say,
    show: (outcome) => {
      bar.max = outcome.selected;
      bar.value = handled(outcome);
      const failed = outcome.failed.length ? `, ${many(outcome.failed.length, "failure")}` : "";
      const waiting = outcome.waiting ? ` Waiting for ${outcome.waiting} to use their new secrets …` : "";
      say(`${handled(outcome)} of ${many(outcome.selected, "client")} done${failed}.${waiting}`);
    },
  };
}

/** What became of a campaign. `again` continues it. */
export function resultCard({ realm, outcome, selection, fleet, problem, again }) {
  const { selected, rotated, underWay, skipped, failed, unused, stopped } = outcome;
  const isOver = !stopped && !problem && !failed.length;
  const client = ({ id, name }) => link(pagePath(realm, "clients", id, "rotation"), name);
  const names = (entries) => entries.length > 0 && h("span", {}, `${entries.length}: ${namesOf(entries)}`);
  return h(
    "section",
    { class: "card" },
    h(
      "header",
      {},
      h(
        "div",
        {},
        h("h2", { tabindex: "-1" }, isOver ? "Done" : stopped || problem ? "Stopped" : "Done, with failures"),
        h("p", { class: "note" }, `With secrets made before ${exact(selection.createdBefore)}.`),
      ),
      button(isOver ? "Look again" : "Continue", again, { kind: isOver ? "" : "primary" }),
    ),
    problem && failure(problem),
    stopped && notice("warning", h("p", {}, stopped)),
    isOver && notice("good", h("p", {}, `${rotated.length} of ${many(selected, "rotation")} begun.`)),
    facts(
      ["Begun", `${rotated.length} of ${selected}`],
      underWay.length > 0 && ["Under way before", names(underWay)],
      skipped.length > 0 && ["Skipped", names(skipped), h("span", { class: "quiet" }, "Gone, or with another secret by now.")],
      failed.length > 0 && ["Failed", String(failed.length)],
      ["Nodes", fleetText(fleet)],
    ),
    failed.length > 0 &&
      table("Failures", ["Client", "Reason"], failed.map((entry) => [client(entry), entry.reason])),
    unused.length > 0 && [
      h("h3", {}, "First clients that have not used their new secrets"),
      h("p", { class: "note" }, "They must use them before others are rotated. If you continue, it begins with other first clients."),
      table(
        "First clients",
        ["Client", ""],
        unused.map((entry) => [client(entry), link(pagePath(realm, "rotations", entry.rotation), `Rotation of ${entry.name}`)]),
      ),
    ],
  );
}

function namesOf(entries) {
  const more = entries.length - LISTED;
  return entries.slice(0, LISTED).map(({ name }) => name).join(", ") + (more > 0 ? `, and ${more} more` : "");
}

function fleetText(fleet) {
  if (!fleet) return "Nothing to wait for";
  const count = many(fleet.nodes.length, "node");
  const applied = `${fleet.applied} of ${count} applied the last change`;
  const fenced = fleet.fenced ? `, ${fleet.fenced} cannot answer before they have` : "";
  return fleet.safe
    ? `Safe now: ${applied}${fenced}`
    : `Not confirmed yet: ${applied}${fenced}, ${fleet.pending.length} pending. See Fleet.`;
}
