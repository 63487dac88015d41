// Rotations as a table, and what can be done with one.
import { change } from "../api.js";
import { h } from "../dom.js";
import { link, pagePath } from "../router.js";
import { exact, moment } from "../time.js";
import { button } from "./controls.js";
import { confirm } from "./dialog.js";
import { badge, reportChange } from "./feedback.js";
import { FAILED, OPEN_STATES, WAY, alertText, deadlineOf, kindName, stateName, waitsFor } from "./rotation-words.js";
import { lines, table } from "./table.js";

/** Rotations of a realm, or with `ofClient` of one client. */
export function rotationTable({ realm, base, rotations, caption, reload, ofClient = false }) {
  const first = ofClient ? "Kind" : "Client";
  return table(
    caption,
    [first, "State", "Waits for", "Deadline", ""],
    rotations.map((rotation) => [
      ofClient
        ? kindName(rotation.kind)
        : lines(
            link(pagePath(realm, "clients", rotation.client_uuid, "rotation"), rotation.client_id, {
              class: "cut",
              title: rotation.client_id,
            }),
            rotation.kind !== "secret" && kindName(rotation.kind),
          ),
      stateCell(rotation),
      waitsFor(rotation),
      deadlineCell(rotation),
      h(
        "div",
        { class: "row" },
        moves({ base, rotation, reload }),
        link(pagePath(realm, "rotations", rotation.id), "History", {
          class: "button little",
          "aria-label": `History of the rotation of ${rotation.client_id}`,
        }),
      ),
    ]),
  );
}

function stateCell(rotation) {
  const alert = alertText(rotation);
  return h(
    "div",
    { class: "rotation-state" },
    h("span", {}, stateBadge(rotation)),
    OPEN_STATES.includes(rotation.state) && track(rotation.state),
    h("small", {}, "entered ", moment(rotation.history.at(-1).at)),
    alert && h("small", { class: "alert" }, alert),
  );
}

export function stateBadge({ state, kind, alert, paused }) {
  const tone = state === FAILED ? "bad" : alert ? "warning" : state === "done" ? "good" : "";
  return [badge(stateName(state, kind), tone), paused && [" ", badge("Paused", "warning")]];
}

/** The way of a rotation, with the part that it has covered. The state next to it says the same. */
const track = (state) =>
  h(
    "span",
    { class: "track", "aria-hidden": "true" },
    WAY.map((each, index) => h("span", { class: index <= WAY.indexOf(state) ? "covered" : null })),
  );

export function deadlineCell(rotation) {
  const next = deadlineOf(rotation);
  return next && h("span", { title: exact(next.at) }, `${next.word} `, moment(next.at), next.condition);
}

/** Buttons for what the rotation's state allows. */
export function moves({ base, rotation, reload }) {
  const { state, paused, client_id: name } = rotation;
  if (!OPEN_STATES.includes(state)) return [];
  const move = (path, done) => async () => {
    const { fleet } = await change("POST", `${base}/rotations/${encodeURIComponent(rotation.id)}/${path}`);
    await reportChange(done, fleet, reload);
  };
  async function cancel() {
    const isPlanned = state === "planned";
    const sure = await confirm({
      title: `Cancel the rotation of ${name}?`,
      consequences: isPlanned
        ? ["There is no new one yet: the client keeps what it has."]
        : [
            `The former ${rotation.kind === "key" ? "key" : "secret"} is the only one again.`,
            "If the client already uses the new one, it is refused from now on.",
          ],
      action: "Cancel the rotation",
    });
    if (sure) await move("cancel", "The rotation was cancelled.")();
  }
  const small = (label, action, kind = "") =>
    button(label, action, { kind: `little ${kind}`, "aria-label": `${label}: ${name}` });
  const canConfirm = state === "prepared" || (state === "retired" && rotation.waits_for === "delivery");
  return [
    canConfirm && small("Confirm delivery", move("delivered", `Noted: ${name} has it.`)),
    state !== "retired" &&
      (paused
        ? small("Resume", move("resume", "The rotation goes on."))
        : small("Pause", move("pause", "The rotation is paused."))),
    state !== "retired" && small("Cancel", cancel, "danger calm"),
  ];
}

