// The client secret: shown on demand, regenerated with an overlap, the former one revocable.
import { change, get } from "../../api.js";
import { authenticator } from "../../authenticators.js";
import { h } from "../../dom.js";
import { button, card, facts } from "../../parts/controls.js";
import { copyable, hiddenSecret } from "../../parts/copying.js";
import { confirm, openDialog } from "../../parts/dialog.js";
import { badge, notice, reportChange } from "../../parts/feedback.js";
import { duration, exact, moment, now } from "../../time.js";

const MASK = "**********";
const PERIOD = "keyturn.secret.expiration-period";
const OVERLAP = "keyturn.secret.rotated-expiration-period";

export function secretCard(context, type) {
  const { client, rotated, usage } = context;
  const attributes = client.attributes || {};
  const time = (name) => Number(attributes[`client.secret.${name}`] || 0);
  if (!client.secret) {
    const text = "This client has no secret yet. It gets one when the authenticator above is saved.";
    return card("Client secret", {}, notice("", h("p", {}, text)));
  }
  const expires = time("expiration.time");
  const isOver = expires > 0 && expires <= now();
  const canSee = client.secret !== MASK;
  const value = canSee
    ? hiddenSecret(() => valueOf(context, ""), "client secret")
    : h(
        "span",
        { class: "quiet" },
        "Only a digest is stored, or you are not allowed to see it. The secret was shown when it was created.",
      );
  const regenerate = button("Regenerate", () => makeNew(context), { kind: "danger calm" });
  return card(
    "Client secret",
    {
      actions: regenerate,
      note: authenticator(type).algorithms.length ? "The client signs its assertions with it." : null,
    },
    isOver && notice("bad", h("p", {}, "This secret has expired: every node rejects it. Regenerate it.")),
    facts(
      ["Value", value],
      ["Made", moment(time("creation.time"))],
      [
        "Expires",
        expires ? moment(expires) : "No time is set: no policy applies, or a rotation is under way",
        isOver && badge("expired", "bad"),
      ],
      ["Last used", moment(usage.secret) || notSeen()],
    ),
    rotated && former(context, time("rotated.expiration.time")),
  );
}

const notSeen = () => h("span", { class: "quiet" }, "Not seen");

const valueOf = async ({ path }, which) => (await get(`${path}/client-secret${which}`)).value;

function former(context, until) {
  const { rotated, usage } = context;
  const value =
    rotated.value === MASK
      ? h("span", { class: "quiet" }, "Not available")
      : hiddenSecret(() => valueOf(context, "/rotated"), "former secret");
  return h(
    "div",
    { class: "pile tight" },
    h(
      "div",
      { class: "row apart" },
      h("div", { class: "row" }, h("h3", {}, "Former secret"), badge("still accepted", "warning")),
      button("Invalidate", () => invalidate(context), { kind: "danger calm little" }),
    ),
    facts(
      ["Value", value],
      ["Accepted until", moment(until)],
      ["Last used", moment(usage.former_secret) || notSeen()],
    ),
  );
}

/** The effect on the current secret, by the active policy. */
function overlapOf({ client, realmAttributes }) {
  const attributes = client.attributes || {};
  const policy = attributes[PERIOD] ? attributes : realmAttributes;
  if (!policy[PERIOD]) return 0;
  const expires = Number(attributes["client.secret.expiration.time"] || 0);
  const overlap = Number(policy[OVERLAP] || 0);
  return expires ? Math.max(0, Math.min(overlap, expires - now())) : overlap;
}

async function makeNew(context) {
  const { client, path, rotated, reload } = context;
  const overlap = overlapOf(context);
  const sure = await confirm({
    title: `Regenerate the secret of ${client.clientId}?`,
    consequences: [
      overlap
        ? `The current secret is accepted for another ${duration(Math.round(overlap))}, until ${exact(now() + overlap)}. The client needs the new secret before then.`
        : "Every node rejects the current secret at once. The client gets no tokens until it has the new one.",
      rotated &&
        "The former secret, which is still accepted, is rejected at once: only one former secret is kept.",
      "A rotation keeps both valid until the client has used the new one: see the Rotation tab.",
    ],
    action: "Regenerate",
  });
  if (!sure) return;
  const { body, fleet } = await change("POST", `${path}/client-secret`);
  showOnce(body.value, overlap);
  await reportChange("Client secret regenerated.", fleet, reload);
}

function showOnce(value, overlap) {
  openDialog("The new secret", (close) => [
    h(
      "p",
      {},
      "Give it to the client now. ",
      overlap ? `Both secrets work for ${duration(Math.round(overlap))}.` : "The former secret is now rejected.",
    ),
    h("div", { class: "secret" }, copyable(value, "new secret", { whole: true })),
    h("div", { class: "row end" }, button("Done", close, { kind: "primary" })),
  ]);
}

async function invalidate({ client, path, reload }) {
  const sure = await confirm({
    title: "Invalidate the former secret?",
    consequences: [
      `Every instance of ${client.clientId} that still uses the former secret is rejected from now on.`,
      "The current secret keeps working.",
    ],
    action: "Invalidate",
  });
  if (!sure) return;
  const { fleet } = await change("DELETE", `${path}/client-secret/rotated`);
  await reportChange("Former secret invalidated.", fleet, reload);
}
