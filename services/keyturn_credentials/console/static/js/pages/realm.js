import { change, get } from "../api.js";
import { badge, busy, button, card, code, confirm, moment, reportChange, table } from "../components.js";
import { fill, h } from "../dom.js";

export async function realmPage({ main, realm, base }) {
  const [representation, keys] = await Promise.all([get(base), get(`${base}/keys`)]);

  async function clear(event) {
    const sure = await confirm({
      title: `Clear the key cache of ${realm}?`,
      consequences: ["Every key set fetched for this realm's clients is fetched again before it is used.", "Until then a client whose JWKS URL does not answer is refused."],
      action: "Clear the key cache",
    });
    if (!sure) return;
    await busy(event.target, async () => {
      const { fleet } = await change("POST", `${base}/clear-keys-cache`);
      reportChange("Key cache cleared.", fleet);
    });
  }

  fill(
    main,
    h("header", { class: "page" }, h("div", {}, h("h1", {}, representation.displayName || realm, " ", representation.enabled ? badge("Enabled", "good") : badge("Disabled")), h("p", { class: "lead" }, "The realm's own signing keys and caches.")), button("Clear key cache", clear, { kind: "danger quiet" })),
    card(
      "Signing keys",
      { note: "Access tokens are signed with the active one; the others are published so that nothing fails while they change." },
      table("Signing keys", ["Key id", "Algorithm", "State", "Since"], (keys.keys || []).map((key) => [code(key.kid), key.algorithm, badge(String(key.status).toLowerCase(), key.status === "ACTIVE" ? "good" : ""), moment(key.since)])),
    ),
  );
}
