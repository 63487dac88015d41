// Rotations of clients' secrets that have not ended: what each waits for, and how to hold it up.
import { change } from "../api.js";
import { h } from "../dom.js";
import { button, card } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
import { badge, empty, reportChange } from "../parts/feedback.js";
import { link, pagePath } from "../router.js";
import { exact, moment } from "../time.js";

const STATES = {
  planned: "Planned",
  prepared: "New secret accepted",
  delivered: "Client has it",
  in_use: "In use",
  retired: "Former secret ended",
};
const WAITS = {
  start: "its time",
  window: "the hours of the policy",
  turn: "its turn",
  nodes: "the nodes",
  delivery: "the client to get the new secret",
  use: "the client to use the new secret",
  overlap: "the end of the overlap",
  person: "somebody to resume it",
};

export function underWayCard({ realm, base, rotations, reload }) {
  return card(
    "Under way",
    { note: "A former secret ends only after its client has used the new one, unless the policy says otherwise." },
    rotations.length
      ? h(
          "div",
          { class: "table" },
          h(
            "table",
            { "aria-label": "Rotations under way" },
            h(
              "thead",
              {},
              h("tr", {}, ["Client", "State", "Waits for", "Since", "Actions"].map((name) => h("th", { scope: "col" }, name))),
            ),
            h("tbody", {}, rotations.map((rotation) => row({ realm, base, rotation, reload }))),
          ),
        )
      : empty("rotations", "No rotation is under way", "Policies begin them in time; a client's page begins one now."),
  );
}

function row({ realm, base, rotation, reload }) {
  const path = `${base}/rotations/${encodeURIComponent(rotation.id)}`;
  const move = (name, done) => async () => {
    const { fleet } = await change("POST", `${path}/${name}`);
    await reportChange(done, fleet, reload);
  };
  async function cancel() {
    const sure = await confirm({
      title: `Cancel the rotation of ${rotation.client_id}?`,
      consequences: [
        "The former secret is the only one again.",
        "If the client uses the new secret already, it is refused from now on.",
      ],
      action: "Cancel the rotation",
    });
    if (sure) await move("cancel", "The rotation was cancelled.")();
  }
  const since = rotation.history.at(-1).at;
  const hasRetired = rotation.state === "retired";
  const confirmed = button("Client has it", move("delivered", "Noted: the client has the new secret."));
  return h(
    "tr",
    {},
    h("td", {}, link(pagePath(realm, "clients", rotation.client_uuid, "credentials"), rotation.client_id)),
    h(
      "td",
      {},
      badge(STATES[rotation.state], rotation.alert ? "warning" : ""),
      rotation.alert && h("small", { class: "help" }, "The client still uses the former secret."),
    ),
    h("td", {}, rotation.waits_for ? WAITS[rotation.waits_for] : "–"),
    h("td", { title: exact(since) }, moment(since)),
    h(
      "td",
      {},
      hasRetired
        ? rotation.waits_for === "delivery" && confirmed
        : h(
            "div",
            { class: "row" },
            rotation.paused
              ? button("Resume", move("resume", "The rotation goes on."))
              : button("Pause", move("pause", "The rotation is paused.")),
            rotation.state === "prepared" && confirmed,
            button("Cancel", cancel, { kind: "danger" }),
          ),
    ),
  );
}
