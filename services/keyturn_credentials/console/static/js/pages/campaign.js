// A campaign from the console: choose clients, look at the list, rotate them, and see what became of each.
import { get, serverTime } from "../api.js";
import { authenticator } from "../authenticators.js";
import { Campaign, Selection, createdAt, handled } from "../campaign.js";
import { fill, h } from "../dom.js";
import { progressView, resultCard } from "../parts/campaign-progress.js";
import { card, checkbox, field, form, head, input, select, setProblem } from "../parts/controls.js";
import { LISTED, many } from "../parts/counted.js";
import { confirm } from "../parts/dialog.js";
import { announce, badge, empty, notice } from "../parts/feedback.js";
import { table } from "../parts/table.js";
import { guardLeaving, link, pagePath, setQuery } from "../router.js";
import { exact, moment } from "../time.js";

const WAIT_SECONDS = 60;
const AUTHENTICATORS = ["client-secret", "client-secret-jwt"];

/** @param {any} context */
export async function campaignPage({ main, realm, base, session, onLeave }) {
  const known = new URLSearchParams(location.search);
  const chosen = h("div", {});
  const progress = h("div", {});
  const isOwn = (client) => session.realm === realm && client.clientId === session.client_id;
  let running = null;
  onLeave(() => {
    running?.abort();
    guardLeaving(null);
  });
  const place = { realm, base, isOwn, chosen, progress, choice: h("div", {}), before: null };

  fill(place.choice, choosing(place, known, (found) => showList(place, found, (begun) => (running = begun))));
  document.title = `Rotate many clients · ${realm} · keyturn`;
  fill(
    main,
    link(pagePath(realm, "rotations"), "Rotations", { class: "crumb" }),
    head(
      "Rotate many clients",
      "Rotates the secrets of the clients that you choose, one after the other. Nothing changes before you have seen the list and started it.",
    ),
    h(
      "div",
      { class: "pile" },
      place.choice,
      chosen,
      progress,
    ),
  );
}

/** The form that finds clients. Its choice is kept in the address, so the same campaign can be continued. */
function choosing(place, known, show) {
  const { base, isOwn, chosen, progress } = place;
  const part = input(known.get("search") || "", { type: "search" });
  const query = input(known.get("query") || "", { placeholder: "team:payments" });
  const kind = select(
    [["", "Any that uses a secret"], ...AUTHENTICATORS.map((id) => [id, authenticator(id).label])],
    known.get("authenticator") || "",
  );
  const before = input(localTime(known.get("created_before")), { type: "datetime-local", step: 1 });
  place.before = before;

  async function action() {
    setProblem(before, null);
    fill(chosen);
    fill(progress);
    const now = await serverTime(`${base}/clients?first=0&max=1`);
    if (before.validity.badInput) return wrong("Enter a whole date with its time, or nothing.");
    const time = before.value ? Math.floor(new Date(before.value).getTime() / 1000) : now;
    // By another clock than the server's, secrets that the campaign itself makes could be older than that.
    if (time > now) return wrong(`On the server it is only ${exact(now)}.`);
    const selection = new Selection({
      base,
      createdBefore: time,
      part: part.value.trim(),
      query: query.value.trim(),
      authenticator: kind.value,
    });
    const found = await selection.clients();
    const clients = found.filter((client) => !isOwn(client));
    show({ selection, clients, hasOwn: clients.length < found.length });
    return undefined;
  }
  function wrong(text) {
    setProblem(before, text);
    before.focus();
  }
  return card(
    "Clients",
    {},
    form(
      { label: "Show the clients", action, full: true, novalidate: true },
      h(
        "div",
        { class: "columns wide" },
        field("Client ID contains", part),
        field("Attributes", query, "Name and value with a colon between them. Separate several with spaces."),
        field("Authenticator", kind),
        field(
          "Secret made before",
          before,
          "If empty: now. A secret made later is left alone, so the same time again continues a campaign.",
        ),
      ),
    ),
  );
}

/** Seconds as the value of a `datetime-local`; "" for none. */
function localTime(seconds) {
  if (!/^\d{1,11}$/.test(seconds || "")) return "";
  const date = new Date(Number(seconds) * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** The list, and how to rotate it. `begun` gets the campaign once it runs, and null once it has ended. */
function showList(place, { selection, clients, hasOwn }, begun) {
  announce(clients.length ? many(clients.length, "client") : "No client has such a secret");
  const own = hasOwn && notice("", h("p", {}, "Your own client, which you are signed in with, is left out."));
  const note = `With a secret made before ${exact(selection.createdBefore)}.`;
  if (!clients.length) {
    const none = empty("search", "No client has such a secret", "Nothing is left to rotate.");
    return fill(place.chosen, card("List", { note }, own, none));
  }
  const heading = many(clients.length, "client");
  const start = (choice) => run(place, { selection, clients, ...choice }, begun);
  return fill(
    place.chosen,
    card(
      heading,
      { note },
      own,
      table(
        "Clients to rotate",
        ["Client", "Authenticator", "Secret made", "State"],
        clients
          .slice(0, LISTED)
          .map((client) => [
            link(pagePath(place.realm, "clients", client.id, "rotation"), client.clientId),
            authenticator(client.clientAuthenticatorType).label,
            moment(createdAt(client)),
            client.enabled === false ? badge("Disabled") : badge("Enabled", "good"),
          ]),
      ),
      clients.length > LISTED && h("p", { class: "note" }, `And ${clients.length - LISTED} more.`),
      pacing(clients.length, start),
    ),
  );
}

function pacing(count, start) {
  const rate = input("20", { inputmode: "decimal" });
  const canary = input("", { inputmode: "numeric", placeholder: "0" });
  const wait = input("600", { inputmode: "numeric" });
  const compromised = checkbox(
    "The secrets are compromised",
    false,
    "Each former secret ends at once. A client gets no tokens until it has its new secret.",
  );
  compromised.box.addEventListener("change", () => {
    canary.disabled = wait.disabled = compromised.box.checked;
  });

  async function action() {
    const isCompromised = compromised.box.checked;
    const pace = {
      rate: numberIn(rate, 0.01, 1000),
      canary: isCompromised ? 0 : numberIn(canary, 0, 100_000, { whole: true, empty: 0 }),
      canarySeconds: isCompromised ? 0 : numberIn(wait, 1, 86_400, { whole: true }),
    };
    const first = [rate, canary, wait].find((control) => control.hasAttribute("aria-invalid"));
    if (first) return first.focus();
    const sure = await confirm({
      title: `${isCompromised ? "End" : "Rotate"} the secrets of ${many(count, "client")}?`,
      consequences: isCompromised
        ? ["Every node rejects each of these secrets as soon as its client’s turn has come.", "These clients get no tokens until they have their new secrets."]
        : ["Each client gets a new secret, and keeps the former one until it has used the new one, unless its policy ends the former one in any case."],
      action: isCompromised ? "End them" : "Rotate them",
      kind: isCompromised ? "danger" : "primary",
    });
    if (sure) await start({ pace, isCompromised });
    return undefined;
  }
  return form(
    { label: "Start", action, full: true, novalidate: true },
    h(
      "div",
      { class: "columns" },
      field("Rotations a second", rate),
      field("First clients", canary, "This many are rotated first. The others follow once all of these have used their new secrets."),
      field("Wait for the first clients (s)", wait, "If one does not use its new secret in this time, the campaign stops."),
    ),
    compromised.line,
  );
}

/** The number in a control, which says what is wrong if it is not one from `least` to `most`. */
function numberIn(control, least, most, { whole = false, empty: none = NaN } = {}) {
  const text = control.value.trim().replace(",", ".");
  const number = text ? Number(text) : none;
  const isRight = number >= least && number <= most && (!whole || Number.isInteger(number));
  setProblem(control, isRight ? null : `Enter a ${whole ? "whole " : ""}number from ${least} to ${most}.`);
  return number;
}

async function run(place, { selection, clients, pace, isCompromised }, begun) {
  const { realm, base, isOwn, choice, chosen, progress } = place;
  const again = () => continueIt(place, selection, begun);
  const view = progressView(clients.length, () => campaign.abort());
  const campaign = new Campaign({
    realm,
    base,
    selection,
    pace,
    reason: isCompromised ? "compromised" : "manual",
    isOwn,
    tell: view.show,
  });
  begun(campaign);
  guardLeaving(() => leaving(campaign.outcome, selection));
  keepInAddress(selection);
  place.before.value = localTime(String(selection.createdBefore));
  choice.hidden = true;
  fill(chosen);
  fill(progress, view.element);
  view.focus();
  let problem = null;
  let fleet = null;
  try {
    await campaign.run(clients);
    fleet = await fleetAfter(base, campaign.outcome.sequence, view);
  } catch (error) {
    problem = error;
  }
  guardLeaving(null);
  begun(null);
  choice.hidden = false;
  if (!progress.isConnected) return;
  const result = resultCard({ realm, outcome: campaign.outcome, selection, fleet, problem, again });
  fill(progress, result);
  result.querySelector("h2").focus();
}

async function continueIt(place, selection, begun) {
  fill(place.progress);
  const found = await selection.clients();
  const clients = found.filter((client) => !place.isOwn(client));
  showList(place, { selection, clients, hasOwn: clients.length < found.length }, begun);
  place.chosen.querySelector("h2").setAttribute("tabindex", "-1");
  place.chosen.querySelector("h2").focus();
}

function keepInAddress({ createdBefore, part, query, authenticator: kind }) {
  const all = { created_before: String(createdBefore), search: part, query, authenticator: kind };
  setQuery(new URLSearchParams(Object.entries(all).filter(([, value]) => value)));
}

const leaving = (outcome, { createdBefore }) => ({
  title: "Stop the campaign?",
  consequences: [
    `${handled(outcome)} of ${many(outcome.selected, "client")} are done. The others are not rotated once you leave this page.`,
    `To continue, choose the same clients again, with secrets made before ${exact(createdBefore)}.`,
  ],
  action: "Stop and leave",
});

/** Wait until every node has applied the newest change, or is known not to have. */
async function fleetAfter(base, sequence, view) {
  if (!sequence) return null;
  view.say("Waiting for the nodes …");
  return get(`${base}/fleet?sequence=${sequence}&wait=${WAIT_SECONDS}`);
}
