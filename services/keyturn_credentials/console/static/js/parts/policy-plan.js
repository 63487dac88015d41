// What a policy would do, for people to read before they save it.
import { h } from "../dom.js";
import { exact } from "../time.js";
import { notice } from "./feedback.js";
import { table } from "./table.js";

export const DAYS = 90;
/** So many secrets that expire, so many that would get an expiry, and so many keys are looked at. */
export const MOST = 1000;
const LISTED = 100;

const EFFECTS = {
  secret: {
    rotates: "Secret rotated",
    rotates_strictly: "Secret rotated, former one ends in any case",
    expires: "Expires, client locked out",
  },
  key: {
    rotates: "Asked for its next key",
    rotates_strictly: "Asked for its next key, former one ends in any case",
  },
};
const effectOf = ({ kind, effect }) => EFFECTS[kind]?.[effect] || effect;

const of = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** The plan in words, and its first entries. Those who would be locked out come first. */
export function planView(plan) {
  const lockedOut = plan.filter(({ effect }) => effect === "expires");
  const ofKind = (wanted) => plan.filter(({ kind, effect }) => kind === wanted && effect !== "expires");
  const strictly = ofKind("secret").filter(({ effect }) => effect === "rotates_strictly").length;
  return h(
    "div",
    { class: "pile tight plan" },
    h("h3", {}, `The next ${DAYS} days`),
    lockedOut.length > 0 &&
      notice(
        "bad",
        h(
          "p",
          { class: "strong" },
          `${of(lockedOut.length, "client would be", "clients would be")} locked out: no rotation begins, and ${lockedOut.length === 1 ? "its secret expires" : "their secrets expire"}.`,
        ),
      ),
    h("p", {}, lockedOut.length ? null : "No client would be locked out. ", rotatedText(ofKind("secret").length, strictly)),
    h("p", {}, askedText(ofKind("key"))),
    plan.length > 0 &&
      table(
        "Plan",
        ["Client", "What happens", "When"],
        [...lockedOut, ...plan.filter(({ effect }) => effect !== "expires")]
          .slice(0, LISTED)
          .map((entry) => [entry.client_id, effectOf(entry), exact(entry.at)]),
      ),
    plan.length > LISTED && h("p", { class: "help" }, `And ${plan.length - LISTED} more.`),
    plan.length >= MOST && h("p", { class: "help" }, `Only the first ${MOST} secrets and keys were looked at.`),
  );
}

function askedText(keys) {
  if (!keys.length) return null;
  const asked = `${of(keys.length, "client would be asked for its next key", "clients would be asked for their next keys")}.`;
  const strictly = keys.filter(({ effect }) => effect === "rotates_strictly").length;
  if (!strictly) return `${asked} The former key stays accepted until the client has used the next one.`;
  return `${asked} For ${strictly} of them, a former key that is registered ends even if the next one was not used.`;
}

function rotatedText(rotated, strictly) {
  if (!rotated) return "No secret would be rotated.";
  const all = `${of(rotated, "secret would be", "secrets would be")} rotated.`;
  if (!strictly) return `${all} Each client keeps its former secret until it has used the new one.`;
  const ends = "the former secret ends even if the client has not used the new one.";
  return strictly < rotated ? `${all} For ${strictly} of them, ${ends}` : `${all} Then ${ends}`;
}
