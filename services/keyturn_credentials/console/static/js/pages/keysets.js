import { get } from "../api.js";
import { badge, card, empty, moment, table } from "../components.js";
import { fill, h } from "../dom.js";

export async function keySetsPage({ main, base }) {
  const sets = await get(`${base}/jwks-urls`);
  fill(
    main,
    h("header", { class: "page" }, h("div", {}, h("h1", {}, "JWKS URLs"), h("p", { class: "lead" }, "Fetched once for the whole fleet, and how that goes."))),
    card(
      null,
      {},
      sets.length
        ? table(
            "JWKS URLs",
            ["URL", "State", "Keys", "Fetched", "Next poll", "Failures", "Reason"],
            sets.map((set) => [
              h("code", { class: "cut", title: set.url }, set.url),
              set.failures ? badge("failing", "bad") : set.fetched_at ? badge("good", "good") : badge("not fetched yet"),
              String(set.keys ?? 0),
              moment(set.fetched_at),
              moment(set.next_poll_at),
              set.failures ? String(set.failures) : null,
              set.last_error,
            ]),
          )
        : empty("No JWKS URLs", "Clients with signed JWTs can publish their keys at a URL of their own."),
    ),
  );
}
