// What a policy would do, for people to read before they save it.
import { h } from "../dom.js";
import { exact } from "../time.js";
import { notice } from "./feedback.js";
import { table } from "./table.js";

export const DAYS = 90;
/** So many secrets that expire, and so many that would get an expiry, are looked at. */
export const MOST = 1000;
const LISTED = 100;

const EFFECTS = {
  rotates: "Rotated",
  rotates_strictly: "Rotated, former secret ends in any case",
  expires: "Expires, client locked out",
};

const of = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** The plan in words, and its first entries. Those who would be locked out come first. */
export function planView(plan) {
  const lockedOut = plan.filter(({ effect }) => effect === "expires");
  const strictly = plan.filter(({ effect }) => effect === "rotates_strictly").length;
  const rotated = plan.length - lockedOut.length;
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
    h("p", {}, lockedOut.length ? null : "No client would be locked out. ", rotatedText(rotated, strictly)),
    plan.length > 0 &&
      table(
        "Plan",
        ["Client", "What happens", "When"],
        [...lockedOut, ...plan.filter(({ effect }) => effect !== "expires")]
          .slice(0, LISTED)
          .map(({ client_id: name, effect, at }) => [name, EFFECTS[effect] || effect, exact(at)]),
      ),
    plan.length > LISTED && h("p", { class: "help" }, `And ${plan.length - LISTED} more.`),
    plan.length >= MOST && h("p", { class: "help" }, `Only the first ${MOST} secrets were looked at.`),
  );
}

function rotatedText(rotated, strictly) {
  if (!rotated) return "No secret would be rotated.";
  const all = `${of(rotated, "secret would be", "secrets would be")} rotated.`;
  if (!strictly) return `${all} Each client keeps its former secret until it has used the new one.`;
  const ends = "the former secret ends even if the client has not used the new one.";
  return strictly < rotated ? `${all} For ${strictly} of them, ${ends}` : `${all} Then ${ends}`;
}
