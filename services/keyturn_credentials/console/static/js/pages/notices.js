// What needs a person: what ends and nothing replaces, what keeps failing, what waits.
import { fill, h } from "../dom.js";
import { button, head } from "../parts/controls.js";
import { badge, empty } from "../parts/feedback.js";
import { pagedList } from "../parts/paged-list.js";
import { lines, table } from "../parts/table.js";
import { link, pagePath } from "../router.js";
import { moment } from "../time.js";

const AGAIN_MS = 30_000;
const TITLES = {
  secret_unreadable: "Secret cannot be decrypted",
  secret_ended: "Secret expired",
  secret_ending: "Secret expires",
  certificate_ended: "Certificate expired",
  certificate_ending: "Certificate expires",
  key_set_unusable: "JWKS URL fails, client rejected",
  key_set_failing: "JWKS URL fails, cached keys used",
  rotation_alert: "Rotation waits",
  realm_key_overdue: "Realm key overdue",
};
/** Where each kind is dealt with, below a client's page. */
const TABS = { rotation_alert: "rotation" };
const DELIVERIES = {
  pending: ["Webhook pending", "warning"],
  delivered: ["Webhook delivered", "good"],
  given_up: ["Webhook given up", "bad"],
};

export async function noticesPage({ main, realm, base, onLeave }) {
  const { list, show } = pagedList({
    path: `${base}/notices`,
    parameter: "before",
    cursor: (notice) => notice.number,
    rows: (notices) => rows(realm, notices),
    nothing,
    noMore,
    first: "Newest",
    next: "Older",
    againMs: AGAIN_MS,
    onLeave,
  });
  fill(
    main,
    head(
      "Notices",
      "What needs somebody before a client is locked out, or because one is. A notice closes by itself when its cause is gone.",
      button("Refresh", show),
    ),
    list,
  );
  await show();
}

const nothing = () =>
  empty("check", "No open notices", "Nothing ends without being replaced, no JWKS URL keeps failing, and no rotation waits.");

const noMore = () => empty("check", "No older notices", "Those that were here have closed.");

const rows = (realm, notices) =>
  table(
    "Notices",
    ["Notice", "Client", "Since", "Ends", "What to do"],
    notices.map((notice) => [
      lines(
        badge(TITLES[notice.code] || notice.code, notice.severity === "problem" ? "bad" : "warning"),
        notice.detail,
      ),
      subject(realm, notice),
      moment(notice.since),
      moment(notice.ends_at),
      lines(h("span", {}, `${notice.text} ${notice.advice}`), delivery(notice)),
    ]),
  );

/** The client, or key of the realm, that a notice is about, as a way to it. */
function subject(realm, { code, client_uuid, client_id, kid }) {
  if (!client_uuid) return link(pagePath(realm, "rotations"), ["Key ", h("code", { class: "cut" }, kid)]);
  const path = pagePath(realm, "clients", client_uuid, TABS[code] || "credentials");
  return link(path, client_id || client_uuid, { class: "strong" });
}

function delivery(notice) {
  if (!DELIVERIES[notice.delivery]) return null;
  const [text, kind] = DELIVERIES[notice.delivery];
  return badge(text, kind);
}
