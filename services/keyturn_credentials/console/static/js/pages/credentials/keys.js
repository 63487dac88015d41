// Every public key that verifiers know of the client, and those revoked.
import { keySource, SOURCES } from "../../authenticators.js";
import { change } from "../../api.js";
import { h } from "../../dom.js";
import { button, card, field, form, input } from "../../parts/controls.js";
import { copyable } from "../../parts/copying.js";
import { confirm, openDialog } from "../../parts/dialog.js";
import { badge, empty, notice, reportChange } from "../../parts/feedback.js";
import { lines, table } from "../../parts/table.js";
import { distance, moment, now } from "../../time.js";

const SOON_SECONDS = 30 * 86400;

export function keysCard(context) {
  const { client, keys, usage } = context;
  const isFetched = keySource(client.attributes) === "jwks_url";
  const actions = [
    isFetched && button("Clear key cache", () => clearCache(context)),
    button("Revoke by thumbprint", () => revokeAny(context)),
  ];
  const note = "A revoked key is rejected permanently, under any key ID, whatever is served or saved.";
  if (keys instanceof Error)
    return card("Active keys", { actions, note }, notice("bad", h("p", {}, keys.message)));
  const act = (key) =>
    key.revoked_at
      ? h(
          "span",
          { class: "row" },
          badge("Revoked", "bad"),
          h("small", { class: "quiet" }, moment(key.revoked_at)),
        )
      : button("Revoke", () => revoke(context, key.thumbprint, key), {
          kind: "danger calm little",
          "aria-label": `Revoke ${key.kid || key.thumbprint}`,
        });
  return card(
    "Active keys",
    { actions, note },
    keys.length
      ? keyTable(keys, { caption: "Active keys", act, used: usage.keys || {} })
      : empty(
          "key",
          "No keys",
          isFetched
            ? "They are fetched when the client first presents an assertion."
            : "No assertion of this client can be verified.",
        ),
  );
}

/** Keys as a table. `act` makes the last cell of a row; `used`: thumbprint to last use. */
export function keyTable(keys, { caption, act = null, used = null }) {
  const columns = [
    "Key ID",
    "Algorithm",
    "Thumbprint",
    ...(used ? ["Source", "Since", "Expires", "Last used"] : []),
    ...(act ? [""] : []),
  ];
  const rows = keys.map((key) => [
    key.kid && nameOf(key),
    key.kty &&
      lines(key.alg || key.crv || `RSA ${key.bits}`, key.alg ? `${key.kty} ${key.crv || key.bits}` : key.kty),
    key.thumbprint && copyable(key.thumbprint, "thumbprint"),
    ...(used
      ? [SOURCES[key.source], moment(key.since), expiry(key.not_after), moment(used[key.thumbprint])]
      : []),
    ...(act ? [act(key)] : []),
  ]);
  return table(caption, columns, rows);
}

/** The key ID; a key without one is shown by its thumbprint. */
const nameOf = ({ kid, thumbprint }) =>
  kid === thumbprint
    ? h("span", { class: "quiet" }, "Its thumbprint")
    : h("code", { class: "cut", title: kid }, kid);

function expiry(seconds) {
  if (!seconds) return null;
  if (seconds <= now()) return badge(`expired ${distance(seconds)}`, "warning");
  return seconds - now() < SOON_SECONDS ? badge(distance(seconds), "warning") : moment(seconds);
}

async function revoke({ client, path, reload, usage }, thumbprint, key = null) {
  const lastUsed = usage.keys?.[thumbprint];
  const sure = await confirm({
    title: "Revoke this key permanently?",
    consequences: [
      "Every node rejects signatures of this key, under any key ID, whatever the JWKS URL serves.",
      lastUsed
        ? `It was last used ${distance(lastUsed)}. If ${client.clientId} still signs with it, it gets no tokens from now on.`
        : `If ${client.clientId} still signs with it, it gets no tokens from now on.`,
      "A revocation cannot be undone.",
    ],
    action: "Revoke key",
    body: h(
      "p",
      {},
      key?.kid && h("span", {}, "Key ID ", h("code", {}, key.kid), h("br")),
      "Thumbprint ",
      h("code", {}, thumbprint),
    ),
  });
  if (!sure) return;
  const { fleet } = await change("POST", `${path}/keys/${encodeURIComponent(thumbprint)}/revoke`);
  await reportChange("Key revoked.", fleet, reload);
}

function revokeAny(context) {
  openDialog("Revoke a key by its thumbprint", (close) => {
    const thumbprint = input("", { required: true, pattern: "[A-Za-z0-9_\\-]{43}", class: "mono" });
    const action = async () => {
      close();
      await revoke(context, thumbprint.value.trim());
    };
    return form(
      { label: "Continue", action, others: button("Cancel", close) },
      field(
        "Thumbprint",
        thumbprint,
        "RFC 7638, SHA-256: 43 characters of base64url. The key need not be in use yet.",
      ),
    );
  });
}

async function clearCache({ client, path, reload }) {
  const sure = await confirm({
    title: "Clear the key cache?",
    consequences: [
      `The keys of ${client.clientId} are fetched again before they are used again, by one fetch for the whole fleet.`,
      "If its JWKS URL does not respond then, its assertions are rejected until it does.",
    ],
    action: "Clear",
    kind: "primary",
  });
  if (!sure) return;
  const { fleet } = await change("POST", `${path}/clear-keys-cache`);
  await reportChange("Key cache cleared.", fleet, reload);
}
