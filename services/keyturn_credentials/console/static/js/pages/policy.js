// The rotation policy of the realm, in days, and its effect.
import { change } from "../api.js";
import { fill, h } from "../dom.js";
import { card, field, form, input } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
import { reportChange } from "../parts/feedback.js";
import { DAY, exact, now } from "../time.js";

const PERIOD = "keyturn.secret.expiration-period";
const OVERLAP = "keyturn.secret.rotated-expiration-period";
const BEFORE = "keyturn.secret.remaining-rotation-period";

export function policyCard({ base, attributes, reload }) {
  const days = (name) => (attributes[name] ? String(Number(attributes[name]) / DAY) : "");
  const number = (name, placeholder) =>
    input(days(name), { type: "number", min: 0, max: 36500, step: "any", placeholder, inputmode: "decimal" });
  const period = number(PERIOD, "Never");
  const overlap = number(OVERLAP, "0");
  const before = number(BEFORE, "0");
  const sample = h("div", { role: "status" });
  const seconds = (control) => Math.round(Number(control.value || 0) * DAY);

  function explain() {
    const [valid, both, due] = [period, overlap, before].map(seconds);
    const problem =
      both > valid || due > valid ? "Neither can be longer than the lifetime of the secret." : "";
    overlap.setCustomValidity(valid && both > valid ? problem : "");
    before.setCustomValidity(valid && due > valid ? problem : "");
    fill(
      sample,
      valid
        ? timeline(valid, both, due)
        : h(
            "p",
            { class: "note" },
            "Secrets never expire, and a regenerated secret replaces the former one at once.",
          ),
    );
  }
  for (const control of [period, overlap, before]) control.addEventListener("input", explain);
  explain();

  async function action() {
    const valid = seconds(period);
    if (attributes[PERIOD] && !valid && !(await confirm(ending()))) throw new Error("Nothing was saved.");
    const values = valid
      ? { [PERIOD]: String(valid), [OVERLAP]: String(seconds(overlap)), [BEFORE]: String(seconds(before)) }
      : { [PERIOD]: "", [OVERLAP]: "", [BEFORE]: "" };
    const { fleet } = await change("PUT", base, { json: { attributes: values } });
    await reportChange("Policy saved.", fleet, reload);
  }
  return card(
    "Policy",
    {
      note: "Applies to all clients of this realm without their own policy. Existing secrets without an expiry date get one within seconds.",
    },
    form(
      { label: "Save", action, unsaved: true, full: true },
      h(
        "div",
        { class: "columns" },
        field("Secret expires after (days)", period),
        field(
          "Former secret is accepted for (days)",
          overlap,
          "From the first use of the new secret; until then the former one stays valid.",
        ),
        field(
          "Rotate before expiry (days)",
          before,
          "The rotation begins so long before the expiry, or earlier if the overlap is longer.",
        ),
      ),
      sample,
    ),
  );
}

const ending = () => ({
  title: "Turn off the policy?",
  consequences: [
    "Former secrets that are still accepted are rejected after the next change to their client.",
    "At that change, secrets lose their expiry date and never expire.",
  ],
  action: "Turn off",
});

/** The validity of a secret created now, as a bar and in words. */
function timeline(valid, both, due) {
  const bar = h("div", { class: "life", "aria-hidden": "true" });
  const part = (kind, from, to) => {
    const piece = h("span", { class: kind });
    piece.style.left = `${(100 * from) / valid}%`;
    piece.style.width = `${(100 * (to - from)) / valid}%`;
    return piece;
  };
  fill(
    bar,
    part("valid", 0, valid),
    both > 0 && part("both", 0, Math.min(both, valid)),
    due > 0 && part("due", Math.max(0, valid - due), valid),
  );
  const begun = now();
  return h(
    "div",
    { class: "pile tight" },
    bar,
    h(
      "p",
      { class: "note" },
      `A secret created now expires on ${exact(begun + valid)}. `,
      both
        ? `The one before it is accepted until ${exact(begun + Math.min(both, valid))}. `
        : "The one before it is rejected at once. ",
      due
        ? `From ${exact(begun + valid - due)} on, a change to the client rotates it.`
        : "Only regenerating it replaces it.",
    ),
  );
}
