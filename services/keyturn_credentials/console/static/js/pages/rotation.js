// One rotation: where it is, and every move that it has made.
import { get } from "../api.js";
import { fill, h, refill } from "../dom.js";
import { afterChanges } from "../live.js";
import { card, facts, head } from "../parts/controls.js";
import { notice } from "../parts/feedback.js";
import { deadlineCell, moves, stateBadge } from "../parts/rotation-table.js";
import { alertText, kindName, reasonName, stateName, waitsFor } from "../parts/rotation-words.js";
import { table } from "../parts/table.js";
import { link, pagePath } from "../router.js";
import { exact, moment } from "../time.js";

export async function rotationPage({ realm, main, base, onLeave }, id) {
  const path = `${base}/rotations/${encodeURIComponent(id)}`;
  const title = h("div", {});
  const body = h("div", { class: "pile" });

  async function show() {
    const rotation = await get(path);
    document.title = `Rotation of ${rotation.client_id} · ${realm} · keyturn`;
    const alert = alertText(rotation);
    refill(
      body,
      alert && notice(rotation.failure ? "bad" : "warning", h("p", {}, alert)),
      card(
        "Progress",
        { actions: moves({ base, rotation, reload: show }) },
        facts(
          ["State", stateBadge(rotation)],
          ["Waits for", waitsFor(rotation) || "Nothing"],
          deadlineOfFacts(rotation),
          ["Client", link(pagePath(realm, "clients", rotation.client_uuid, "rotation"), rotation.client_id)],
          ["What is rotated", kindName(rotation.kind)],
          ["Reason", reasonName(rotation.reason)],
        ),
      ),
      card("History", { note: "Every move, with the event that it wrote, if it wrote one." }, history(rotation)),
    );
    return rotation;
  }

  fill(main, title, body);
  const { client_id: name } = await show();
  fill(
    title,
    h(
      "div",
      {},
      link(pagePath(realm, "rotations"), "Rotations", { class: "crumb" }),
      head(`Rotation of ${name}`, null),
    ),
  );
  onLeave(afterChanges(show));
}

const deadlineOfFacts = (rotation) => {
  const next = deadlineCell(rotation);
  return next && ["Deadline", next];
};

const history = ({ history: made, kind }) =>
  table(
    "History",
    ["State", "Time", "Event"],
    made
      .toReversed()
      .map(({ state, at, sequence }) => [
        stateName(state, kind),
        h("span", {}, exact(at), " (", moment(at), ")"),
        sequence && h("code", {}, `#${sequence}`),
      ]),
  );
