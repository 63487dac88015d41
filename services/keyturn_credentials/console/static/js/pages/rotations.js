import { change, get } from "../api.js";
import { badge, busy, card, empty, field, input, moment, reportChange, table } from "../components.js";
import { fill, h } from "../dom.js";
import { link, pagePath } from "../shell.js";

const DAY = 86400;

export async function rotationsPage({ main, realm, base }) {
  const [policy, coming] = await Promise.all([get(`${base}/rotation-policy`), get(`${base}/rotations`)]);
  fill(
    main,
    h("header", { class: "page" }, h("div", {}, h("h1", {}, "Rotations"), h("p", { class: "lead" }, "Secrets that are replaced on time, without a failed request."))),
    card("Policy", { note: "For every client secret of the realm that has no policy of its own." }, policyForm(base, policy)),
    card(
      "What comes",
      {},
      coming.length
        ? table(
            "Coming rotations",
            ["Client", "Stage", "Secret expires", "Former secret until"],
            coming.map((entry) => [link(pagePath(realm, "clients", entry.client, "credentials"), entry.client_id), badge(entry.stage.replaceAll("_", " "), entry.stage === "expired" ? "bad" : entry.stage === "due" ? "warning" : "good"), moment(entry.expires_at), moment(entry.rotated_expires_at)]),
          )
        : empty("Nothing to rotate", "Secrets made under a policy appear here with the day they expire."),
    ),
  );
}

function policyForm(base, policy) {
  const days = (seconds) => (seconds ? String(Math.round(seconds / DAY)) : "");
  const expiration = input(days(policy.expiration_period), { type: "number", min: 0, placeholder: "never" });
  const rotated = input(days(policy.rotated_expiration_period), { type: "number", min: 0, placeholder: "0" });
  const remaining = input(days(policy.remaining_rotation_period), { type: "number", min: 0, placeholder: "0" });
  const submit = h("button", { class: "button primary" }, "Save");
  return h(
    "form",
    {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        busy(submit, async () => {
          const { fleet } = await change("PUT", `${base}/rotation-policy`, {
            json: {
              expiration_period: Number(expiration.value || 0) * DAY,
              rotated_expiration_period: Number(rotated.value || 0) * DAY,
              remaining_rotation_period: Number(remaining.value || 0) * DAY,
            },
          });
          reportChange("Policy saved.", fleet);
        });
      },
    },
    h(
      "div",
      { class: "columns" },
      field("A secret expires after, days", expiration),
      field("The former one stays valid for, days", rotated),
      field("Rotate before expiry, days", remaining),
    ),
    h("div", { class: "actions" }, submit),
  );
}
