// The life cycle of a realm's signing keys: published, signing, then verifying only.
import { change } from "../api.js";
import { h } from "../dom.js";
import { exact, moment } from "../time.js";
import { button, card } from "./controls.js";
import { copyable } from "./copying.js";
import { confirm } from "./dialog.js";
import { badge, reportChange } from "./feedback.js";

const STATES = [
  ["next", "Next", "Published, so that resource servers have it before it signs.", "published"],
  ["active", "Active", "Signs access tokens. Administrators' tokens have a separate key, which no node receives.", "signs since"],
  ["retiring", "Retiring", "Verifies the tokens it signed, then is removed.", "retired"],
];

export function signingKeysCard({ base, keys, reload }) {
  async function rotate() {
    const sure = await confirm({
      title: "Rotate the signing key now?",
      consequences: [
        "The next key signs from now on. A resource server that cached the key set before that key was published refuses new tokens until it fetches the set again.",
        "Tokens signed with the current key stay valid until they expire.",
      ],
      action: "Rotate now",
    });
    if (!sure) return;
    const { fleet } = await change("POST", `${base}/keys/rotate`);
    await reportChange("The signing key was rotated.", fleet, reload);
  }
  const note = keys.rotatesAt ? `Rotated automatically; next on ${exact(keys.rotatesAt)}.` : null;
  return card(
    "Signing keys of the realm",
    { note, actions: button("Rotate now", rotate) },
    h(
      "ol",
      { class: "pipeline three" },
      STATES.map(([state, title, text, word]) => {
        const there = keys.keys.filter((key) => key.state === state);
        return h(
          "li",
          { class: there.length ? "stage" : "stage none-there" },
          h(
            "div",
            { class: "row apart" },
            h("h3", {}, title),
            badge(String(there.length), state === "active" ? "good" : ""),
          ),
          h("p", { class: "help" }, text),
          h(
            "ul",
            {},
            there.map((key) =>
              h(
                "li",
                {},
                copyable(key.kid, "key ID"),
                h(
                  "small",
                  { class: "quiet" },
                  key.purpose === "administrators" ? "for administrators, " : "",
                  `${key.algorithm}, ${word} `,
                  moment(key.stateSince),
                ),
              ),
            ),
          ),
        );
      }),
    ),
  );
}
