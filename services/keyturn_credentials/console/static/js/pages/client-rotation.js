// The Rotation tab of a client: its rotations, one begun now, and its own policy.
import { change, get } from "../api.js";
import { authenticator } from "../authenticators.js";
import { fill, h, refill } from "../dom.js";
import { afterChanges } from "../live.js";
import { button, card } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
import { empty, reportChange } from "../parts/feedback.js";
import { LOCKED_OUT, ofOwn } from "../parts/own.js";
import { rotationTable } from "../parts/rotation-table.js";
import { OPEN_STATES } from "../parts/rotation-words.js";
import { policyCard } from "./policy.js";

const MOST = 50;

export async function rotationTab(context) {
  const { client, body, path, base, reload, onLeave } = context;
  if (client.publicClient || client.bearerOnly)
    return fill(body, card(null, {}, empty("key", "No credentials", "This client is public or bearer-only: it does not authenticate.")));
  const place = h("div", {});
  const listOf = async () => rotationsCard({ ...context, rotations: await get(`${path}/rotations?max=${MOST}`), reload: show });
  const show = async () => refill(place, await listOf());
  const [settings] = await Promise.all([get(base), show()]);
  fill(
    body,
    place,
    policyCard({
      base,
      path,
      attributes: client.attributes || {},
      client,
      inherited: settings.attributes || {},
      reload,
      draft: context.draft,
      kept: context.kept,
    }),
  );
  // The tab is built again when the policy is saved.
  const stop = afterChanges(async () => (place.isConnected ? show() : stop()));
  return onLeave(stop);
}

function rotationsCard(context) {
  const { client, path, base, realm, rotations, reload } = context;
  const isOpen = rotations.some(({ state }) => OPEN_STATES.includes(state));
  const { credential } = authenticator(client.clientAuthenticatorType);
  const hasSecret = credential === "secret";
  const hasKeys = credential === "keys";
  const begin = (reason, done) => async () => {
    const asked = reason === "manual" ? calmly(client) : atOnce(client);
    asked.consequences.push(ofOwn(context, client, LOCKED_OUT));
    if (!(await confirm(asked))) return;
    const { fleet } = await change("POST", `${path}/rotations`, { json: { kind: "secret", reason } });
    await reportChange(done, fleet, reload);
  };
  const ask = async () => {
    if (!(await confirm(asking(client)))) return;
    const { fleet } = await change("POST", `${path}/rotations`, { json: { kind: "key", reason: "manual" } });
    await reportChange("The client is asked for a new key.", fleet, reload);
  };
  return card(
    "Rotations of this client",
    {
      note: hasSecret || hasKeys ? null : "Its authenticator uses neither a secret nor keys.",
      actions: [
        hasSecret && !isOpen && button("Rotate now", begin("manual", "The rotation has begun."), { kind: "primary" }),
        hasSecret && button("Secret is compromised", begin("compromised", "The compromised secret has ended."), { kind: "danger calm" }),
        hasKeys && !isOpen && button("Ask for a new key", ask, { kind: "primary" }),
      ],
    },
    rotations.length
      ? rotationTable({ realm, base, rotations, caption: "Rotations of this client", reload, ofClient: true })
      : empty("rotations", "No rotation yet", "A policy begins one in time, or you can begin one now."),
  );
}

const calmly = (client) => ({
  title: `Rotate the secret of ${client.clientId}?`,
  consequences: [
    "The client gets a new secret. Until it has used that one and the overlap has passed, the former one stays valid.",
    "If its policy ends the former secret in any case, it ends after the overlap, used or not.",
  ],
  action: "Rotate",
  kind: "primary",
});

const atOnce = (client) => ({
  title: `End the secret of ${client.clientId} at once?`,
  consequences: [
    "Every node rejects the current secret. The client gets no tokens until it has the new one.",
    "A rotation that is under way ends, and so does a former secret.",
  ],
  action: "End it",
});

const asking = (client) => ({
  title: `Ask ${client.clientId} for a new key?`,
  consequences: [
    "The client registers its next key, or publishes it at its JWKS URL. Nobody else can do that for it.",
    "The key in use stays valid until the client has used the next one and the overlap has passed.",
  ],
  action: "Ask for a new key",
  kind: "primary",
});
