import { get, send } from "../api.js";
import { badge, button, card, code, empty, field, input, moment, save, table } from "../components.js";
import { fill, h } from "../dom.js";

export async function auditPage({ main, realm, base }) {
  const actor = input("", { placeholder: "Admin client ID" });
  const target = input("", { placeholder: "Client ID" });
  const list = h("div", {});
  async function show() {
    const query = new URLSearchParams({ max: 100 });
    if (actor.value) query.set("actor", actor.value);
    if (target.value) query.set("target", target.value);
    const found = await get(`${base}/audit?${query}`);
    fill(
      list,
      found.length
        ? table(
            "Audit",
            ["When", "Who", "From", "What", "Target", "Event"],
            found.map((entry) => [moment(entry.at), entry.actor, entry.address, h("span", {}, entry.action, entry.outcome === "refused" ? badge("refused", "bad") : null), entry.target, entry.sequence ? code(`#${entry.sequence}`) : null]),
          )
        : empty("Nothing to show", "No recorded act fits."),
    );
  }
  async function download() {
    const response = await send("GET", `${base}/audit?format=jsonl`, { headers: { Accept: "application/jsonl" } });
    save(await response.blob(), `${realm}-audit.jsonl`);
  }
  for (const control of [actor, target]) control.addEventListener("change", show);
  fill(
    main,
    h("header", { class: "page" }, h("div", {}, h("h1", {}, "Audit"), h("p", { class: "lead" }, "Who did what, to which client, when and from where.")), button("Export JSON lines", download)),
    card(null, {}, h("div", { class: "columns filters" }, field("Who", actor), field("Client", target)), list),
  );
  await show();
}
