// Rotations in words. What a newer server adds is shown by its name.

const STATES = {
  planned: "Planned",
  prepared: "New {} accepted",
  delivered: "Client has it",
  in_use: "In use",
  retired: "Former {} ended",
  done: "Done",
  cancelled: "Cancelled",
  rolled_back: "Rolled back",
  superseded: "Superseded",
  failed: "Failed",
};
const WAITS = {
  start: "its start time",
  window: "the hours in which the policy lets rotations begin",
  turn: "fewer rotations of the realm in progress",
  delivery: "the client to get the new {}, or somebody to confirm that it has it",
  use: "the client to use the new {}",
  overlap: "the end of the overlap",
  person: "somebody to resume it",
  successor: "the client’s new key",
  withdrawal: "the client to stop publishing its former key",
};
const ALERTS = {
  successor_unused: "The client has not used the new {}.",
  successor_missing: "The client has not published a new key.",
  former_published: "The client still publishes its former key.",
};
const REASONS = { policy: "Policy", client: "Begun by the client", manual: "Manual", compromised: "Compromised" };
const KINDS = { secret: "Secret", key: "Key" };

export const OPEN_STATES = ["planned", "prepared", "delivered", "in_use", "retired"];
export const GIVEN_UP = ["cancelled", "rolled_back", "superseded"];
export const FAILED = "failed";
/** The states on the way of a rotation that is not given up. */
export const WAY = [...OPEN_STATES, "done"];

/** Format "rolled_back" for people. */
const spoken = (name) => name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());

const of = (words, name, kind) =>
  Object.hasOwn(words, name) ? words[name].replace("{}", kind === "key" ? "key" : "secret") : spoken(name);

export const stateName = (state, kind) => of(STATES, state, kind);
export const kindName = (kind) => of(KINDS, kind);
export const reasonName = (reason) => of(REASONS, reason);
/** What somebody should know: why it has failed, or what its client has not done. Null for nothing. */
export const alertText = ({ alert, failure, kind }) => failure?.detail || (alert && of(ALERTS, alert, kind));

/** What it waits for, to follow "waits for"; null for nothing. */
export function waitsFor({ waits_for: name, state, kind }) {
  if (!name) return null;
  if (name !== "nodes") return of(WAITS, name, kind);
  const what = state === "retired" ? "refuse the former {}" : "accept the new {}";
  return of({ nodes: `every node to ${what}` }, name, kind);
}

/** The next time that matters: `{word, at, condition}`; null for none. */
export function deadlineOf({ state, alert, kind, waits_for: waits, start_at: start, deadline, retire_at: ends }) {
  if (waits === "successor" && deadline) return due(alert, deadline, " if there is none");
  if (state === "planned") return { word: "begins", at: start };
  if (!["prepared", "delivered", "in_use"].includes(state)) return null;
  if (ends) return { word: `former ${kind === "key" ? "key" : "secret"} ends`, at: ends };
  if (state === "in_use" || !deadline) return null;
  return due(alert, deadline, " if unused");
}

const due = (alert, at, condition) => (alert ? { word: "was due", at } : { word: "alert", at, condition });
