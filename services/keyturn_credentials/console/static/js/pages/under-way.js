// The rotations of a realm: each client on its way, what it waits for, and how to hold it up.
import { get } from "../api.js";
import { h, refill } from "../dom.js";
import { afterChanges } from "../live.js";
import { card, field, select } from "../parts/controls.js";
import { empty, failure, loading } from "../parts/feedback.js";
import { rotationTable } from "../parts/rotation-table.js";
import { FAILED, GIVEN_UP, OPEN_STATES, stateName } from "../parts/rotation-words.js";

const MOST = 500;
const OPEN = "open";
const ALERT = "alert";
const ALL = "all";
const SHOWN = [
  [OPEN, "Under way"],
  [ALERT, "Under way, with an alert"],
  ...OPEN_STATES.map((state) => [state, stateName(state)]),
  ["done", "Done"],
  [GIVEN_UP.join(","), "Cancelled, rolled back or superseded"],
  [FAILED, "Failed"],
  [ALL, "All"],
];

/** `changed`: called when the rotations may have moved. */
export function underWayCard({ realm, base, onLeave, changed }) {
  const shown = select(SHOWN, OPEN);
  const list = h("div", {}, loading());
  let asked = 0;

  async function show() {
    const mine = ++asked;
    const chosen = shown.value;
    const states = chosen === ALL ? "" : chosen === ALERT ? OPEN : chosen;
    try {
      const found = await get(`${base}/rotations?state=${states}&max=${MOST}`);
      if (mine === asked) refill(list, listed(chosen, found));
    } catch (error) {
      if (mine === asked) refill(list, failure(error));
    }
  }

  function listed(chosen, found) {
    const rotations = chosen === ALERT ? found.filter(({ alert }) => alert) : found;
    if (!rotations.length) return chosen === OPEN ? noneUnderWay() : noneSuch();
    const [, name] = SHOWN.find(([value]) => value === chosen);
    const caption = chosen === OPEN ? "Rotations under way" : `Rotations: ${name}`;
    return [
      rotationTable({ realm, base, rotations, caption, reload: show }),
      found.length === MOST && h("p", { class: "note" }, `Only the newest ${MOST} are looked at.`),
    ];
  }

  shown.addEventListener("change", show);
  onLeave(afterChanges(() => Promise.all([show(), changed()])));
  return {
    card: card(
      "Client rotations",
      { note: "Each rotation moves on by itself as soon as what it waits for has happened." },
      h("div", { class: "toolbar" }, field("Show", shown)),
      list,
    ),
    start: show,
  };
}

const noneUnderWay = () =>
  empty(
    "rotations",
    "No rotation is under way",
    "Policies begin them in time. The Rotation tab of a client begins one now.",
  );

const noneSuch = () => empty("rotations", "No such rotation", "Choose others under Show.");
