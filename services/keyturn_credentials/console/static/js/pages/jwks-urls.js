import { fill, h } from "../dom.js";
import { button, head } from "../parts/controls.js";
import { badge, empty } from "../parts/feedback.js";
import { fetchReason } from "../parts/fetch-words.js";
import { pagedList } from "../parts/paged-list.js";
import { lines, table } from "../parts/table.js";
import { link, pagePath } from "../router.js";
import { moment, now } from "../time.js";

const AGAIN_MS = 10_000;

export async function jwksUrlsPage({ main, realm, base, onLeave }) {
  const { list, show } = pagedList({
    path: `${base}/jwks-urls`,
    parameter: "after",
    cursor: (entry) => entry.client_id,
    rows: (entries) => rows(realm, entries),
    nothing,
    first: "First page",
    next: "Next",
    againMs: AGAIN_MS,
    onLeave,
  });
  fill(
    main,
    head(
      "JWKS URLs",
      "The URLs that clients' keys come from. Each is fetched once for the whole fleet.",
      button("Refresh", show),
    ),
    list,
  );
  await show();
}

const nothing = () =>
  empty(
    "globe",
    "No JWKS URLs",
    "A client that uses signed JWTs can publish its keys at its own URL; keyturn then keeps them up to date.",
  );

const rows = (realm, entries) =>
  table(
    "JWKS URLs",
    ["Client", "URL", "State", "Keys", "Fetched", "Changed", "Next"],
    entries.map(({ client_uuid, client_id, url, health }) => [
      link(pagePath(realm, "clients", client_uuid, "credentials"), client_id, { class: "strong" }),
      h("code", { class: "cut", title: url }, url),
      state(health),
      health &&
        h(
          "span",
          { class: "number" },
          String(health.keys),
          health.skipped > 0 && h("span", { class: "quiet" }, `, ${health.skipped} unusable`),
        ),
      moment(health?.last_success),
      moment(health?.last_change),
      moment(health?.next_poll),
    ]),
  );

/** The state of a URL, and its reason. */
function state(health) {
  if (!health) return lines(badge("Not fetched"), "No client has needed it recently");
  if (!health.failures) return health.last_success ? badge("Good", "good") : badge("Not fetched yet");
  const usable = health.keys > 0 && (health.stale_until || 0) > now();
  const times = `${health.failures} failure${health.failures === 1 ? "" : "s"}`;
  const reason = h(
    "span",
    {},
    `${times}: `,
    fetchReason(health.failure, health.failure_detail),
  );
  const verdict = usable ? badge("Failing, cached keys used", "warning") : badge("Failing, clients rejected", "bad");
  return lines(
    h("span", { class: "row" }, verdict, usable && h("small", {}, "until ", moment(health.stale_until))),
    reason,
  );
}
