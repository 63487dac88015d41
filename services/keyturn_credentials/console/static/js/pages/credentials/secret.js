// The client secret: shown on demand, regenerated with an overlap, the former one revocable.
import { change, get } from "../../api.js";
import { authenticator } from "../../authenticators.js";
import { fill, h } from "../../dom.js";
import { button, card, facts, field, form, select } from "../../parts/controls.js";
import { copyable, hiddenSecret } from "../../parts/copying.js";
import { confirm, openDialog } from "../../parts/dialog.js";
import { badge, notice, reportChange } from "../../parts/feedback.js";
import { onItsWay, reportWhenSettled } from "../../parts/on-its-way.js";
import { isOwn, ofOwn, SIGNED_OUT } from "../../parts/own.js";
import { DAY, distance, duration, exact, HOUR, moment, now } from "../../time.js";

const MASK = "**********";
const PERIOD = "keyturn.secret.expiration-period";
const OVERLAP = "keyturn.secret.rotated-expiration-period";
const OVERLAPS = [0, HOUR, DAY, 7 * DAY, 30 * DAY];

export function secretCard(context, type) {
  const { client, rotated, usage } = context;
  const attributes = client.attributes || {};
  const time = (name) => Number(attributes[`client.secret.${name}`] || 0);
  if (!client.secret) {
    const text = "This client has no secret yet. It gets one when the settings above are saved.";
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
  return card(
    "Client secret",
    {
      actions: button("Regenerate", () => regenerate(context), { kind: "danger calm", "data-when-saved": true }),
      note: authenticator(type).algorithms.length ? "The client signs its assertions with it." : null,
    },
    saveFirst(),
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

/** Say why a button is disabled, while something is not saved. */
export const saveFirst = () =>
  h("p", { class: "help", hidden: true, "data-when-edited": true }, "Save or discard your changes first.");

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
      button("Invalidate", () => invalidate(context), { kind: "danger calm little", "data-when-saved": true }),
    ),
    facts(
      ["Value", value],
      ["Accepted until", moment(until)],
      ["Last used", moment(usage.former_secret) || notSeen()],
    ),
  );
}

/** How long the current secret would stay valid, by the active policy. */
function overlapOf({ client, realmAttributes }) {
  const attributes = client.attributes || {};
  const policy = attributes[PERIOD] ? attributes : realmAttributes;
  return policy[PERIOD] ? Number(policy[OVERLAP] || 0) : 0;
}

async function regenerate(context) {
  const { client, path, realm, rotated, reload } = context;
  // The page may be hours old.
  const usage = await get(`${path}/usage`).catch(() => context.usage);
  const expires = Number((client.attributes || {})["client.secret.expiration.time"] || 0);
  const byPolicy = overlapOf(context);
  const words = (seconds) => (seconds ? duration(seconds) : "Not at all");
  const chosen = OVERLAPS.map((seconds) => [String(seconds), words(seconds)]);
  // Without an overlap by policy, its choice is the first of the others.
  const options = byPolicy ? [["", `As the policy says: ${words(byPolicy)}`], ...chosen] : [["", words(0)], ...chosen.slice(1)];
  openDialog(`Regenerate the secret of ${client.clientId}?`, (close) => {
    const stays = select(options, "");
    const overlap = () => {
      const wanted = stays.value === "" ? byPolicy : Number(stays.value);
      return expires ? Math.max(0, Math.min(wanted, expires - now())) : wanted;
    };
    const list = h("ul", { class: "consequences" });
    const lastUsed = usage.secret
      ? `The current secret was last used ${distance(usage.secret)}.`
      : "No use of the current secret is known.";
    const show = () =>
      fill(
        list,
        [
          overlap()
            ? `The current secret is accepted for another ${duration(Math.round(overlap()))}, until ${exact(now() + overlap())}. The client needs the new secret before then.`
            : "Every node rejects the current secret at once. The client gets no tokens until it has the new one.",
          lastUsed,
          rotated && "The former secret, which is still accepted, is rejected at once: only one former secret is kept.",
          "A rotation keeps both valid until the client has used the new one: see the Rotation tab.",
          ofOwn(context, client, SIGNED_OUT),
        ]
          .filter(Boolean)
          .map((line) => h("li", {}, line)),
      );
    stays.addEventListener("change", show);
    show();

    async function action() {
      const query = stays.value === "" ? "" : `?overlap=${stays.value}`;
      // The secret is shown at once: whoever waits for the nodes could need it for a client that is down.
      const { body, sequence } = await change("POST", `${path}/client-secret${query}`, { wait: 0 });
      const lasting = overlap();
      close();
      const shown = showOnce({ value: body.value, sequence, lasting });
      // The session has ended: what reads the page again shows the sign-in page, not before the secret was taken.
      if (isOwn(context, client)) return shown.addEventListener("close", () => reload().catch(() => {}));
      await Promise.all([reload(), reportWhenSettled("Client secret regenerated.", realm, sequence)]);
      return undefined;
    }
    return form(
      {
        label: "Regenerate",
        kind: "danger",
        action,
        asks: true,
        others: button("Cancel", close, { autofocus: true }),
      },
      list,
      field("The former secret stays valid", stays, "For this once. At most until it expires."),
    );
  });
}

/** Show a new secret, beside the way of the change to the nodes. `lasting`: seconds for which both are accepted. */
export function showOnce({ value, sequence, lasting = null }) {
  const way = onItsWay(sequence);
  const both = lasting ? `Both secrets work for ${duration(Math.round(lasting))}.` : "The former secret ends with this change.";
  const dialog = openDialog("The new secret", (close) => [
    h("p", {}, "Give it to the client now. ", lasting === null ? "It is not shown again." : both),
    h("div", { class: "secret" }, copyable(value, "new secret", { whole: true })),
    way.element,
    h("div", { class: "row end" }, button("Done", close, { kind: "primary" })),
  ]);
  // It stays when the session ends: it may be the only place where the secret is.
  dialog.dataset.lasting = "";
  dialog.addEventListener("close", way.stop);
  return dialog;
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
