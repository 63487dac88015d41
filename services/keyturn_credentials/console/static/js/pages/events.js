import { get } from "../api.js";
import { button, card, code, empty, field, input, moment, table } from "../components.js";
import { fill, h } from "../dom.js";

const POLL_MS = 2000;

export async function eventsPage({ main, base, onLeave }) {
  const type = input("", { placeholder: "client_secret_rotated" });
  const client = input("", { placeholder: "Client ID" });
  const list = h("div", {});
  async function show() {
    const query = new URLSearchParams({ max: 100 });
    if (type.value) query.set("type", type.value);
    if (client.value) query.set("client_id", client.value);
    const found = await get(`${base}/events?${query}`);
    fill(
      list,
      found.length
        ? table("Events", ["Sequence", "What", "Client", "When"], found.map((event) => [code(`#${event.sequence}`), event.type.replaceAll("_", " "), event.client_id, moment(event.occurred_at)]))
        : empty("No events", "Nothing that fits has happened."),
    );
  }
  for (const control of [type, client]) control.addEventListener("change", show);
  const timer = setInterval(() => show().catch(() => {}), POLL_MS);
  onLeave(() => clearInterval(timer));
  fill(
    main,
    h("header", { class: "page" }, h("div", {}, h("h1", {}, "Events"), h("p", { class: "lead" }, "What happened, in order: the log that every node follows.")), button("Refresh", show)),
    card(null, {}, h("div", { class: "columns filters" }, field("Type", type), field("Client", client)), list),
  );
  await show();
}
