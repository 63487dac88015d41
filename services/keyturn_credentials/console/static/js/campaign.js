// A campaign: the secrets of many clients rotated one after the other, at a bounded rate. It keeps nothing: a secret made
// since the campaign's time is not rotated again, so it can be stopped at any moment and run again.
import { change, clientPath, get, getIfThere } from "./api.js";

export const MAX_FAILURES = 5;
const CREATED = "client.secret.creation.time";
const SECRETS = ["client-secret", "client-secret-jwt"];
const GIVEN_UP = ["cancelled", "rolled_back", "superseded", "failed"];
const FORMER_ENDED = ["retired", "done"];
const PAGE = 500;
const POLL_MS = 2000;
const NOT_FOUND = 404;
const CONFLICT = 409;
/** With these, no call can succeed: the server is away, or the session has ended. */
const HOPELESS = [0, 401];

const isEnabled = (client) => client.enabled !== false;
export const createdAt = ({ attributes = {} }) => Number(attributes[CREATED] || 0) || null;

/**
 * The clients to rotate. `createdBefore`: seconds; a secret made later is left alone. `part`: of the client ID.
 * `query`: by attributes, as Keycloak's `q`. `authenticator`: "" for every one that has a secret.
 */
export class Selection {
  constructor({ base, createdBefore, part = "", query = "", authenticator = "" }) {
    Object.assign(this, { base, createdBefore, part, query, authenticator });
  }

  /** Whether it has such a secret. Its name and attributes are not looked at. */
  includes(client) {
    const kind = client.clientAuthenticatorType;
    if (!SECRETS.includes(kind) || client.publicClient || client.bearerOnly) return false;
    if (this.authenticator && kind !== this.authenticator) return false;
    const created = createdAt(client);
    return created !== null && created < this.createdBefore;
  }

  /** All of them. While others are created or deleted, one may be missing or there twice. */
  async clients() {
    const found = [];
    for (let first = 0; ; first += PAGE) {
      const asked = new URLSearchParams({ first: String(first), max: String(PAGE) });
      if (this.part) {
        asked.set("clientId", this.part);
        asked.set("search", "true");
      }
      if (this.query) asked.set("q", this.query);
      const page = await get(`${this.base}/clients?${asked}`);
      found.push(...page.filter((client) => this.includes(client)));
      if (page.length < PAGE) return found;
    }
  }
}

/**
 * What became of the clients: lists of `{id, name}`, with a `reason` of failures and the `rotation` of first clients
 * that are not known to use their new secrets. `skipped`: gone, or with another secret by then. `stopped`: why it ended
 * early. `sequence`: of the newest event.
 */
const nothingYet = () => ({
  selected: 0,
  rotated: [],
  underWay: [],
  skipped: [],
  failed: [],
  unused: [],
  sequence: null,
  stopped: null,
  waiting: null,
});

export const handled = ({ rotated, underWay, skipped, failed }) =>
  rotated.length + underWay.length + skipped.length + failed.length;

/**
 * `pace`: `rate` rotations begun a second; `canary`: so many first, and the others once all of these clients use their
 * new secrets, within `canarySeconds`. `isOwn`: whether a client is the one that the user is signed in with. `tell` is
 * called with the outcome after every step.
 */
export class Campaign {
  #aborted = false;
  #wake = () => {};
  #sentAt = -Infinity;
  #canaries = 0;

  constructor({ realm, base, selection, pace, reason, isOwn, tell }) {
    Object.assign(this, { realm, base, selection, pace, reason, isOwn, tell });
    this.outcome = nothingYet();
  }

  /** Stop before the next client. What was sent is still answered. */
  abort() {
    this.#aborted = true;
    this.#wake();
  }

  /** Rotate the secrets of these clients, and of those that the listing has missed. */
  async run(clients) {
    const { outcome, pace } = this;
    const seen = new Set();
    let listed = clients;
    for (;;) {
      const fresh = this.#order(listed, seen);
      if (!fresh.length) break;
      outcome.selected += fresh.length;
      for (const client of fresh) {
        if (!this.#aborted) await this.#rotate(client);
        if (this.#aborted) outcome.stopped = "You stopped it.";
        else if (outcome.failed.length > MAX_FAILURES)
          outcome.stopped = `${outcome.failed.length} rotations could not be begun.`;
        else if (outcome.unused.length && this.#canaries === pace.canary) outcome.stopped = await this.#watch();
        this.tell(outcome);
        if (outcome.stopped) return outcome;
      }
      listed = await this.selection.clients();
    }
    if (outcome.unused.length) outcome.stopped = await this.#watch();
    return outcome;
  }

  /** Those not seen yet, each once, and first those that can use a secret. */
  #order(listed, seen) {
    const fresh = [];
    for (const client of listed) {
      if (seen.has(client.id) || this.isOwn(client)) continue;
      seen.add(client.id);
      fresh.push(client);
    }
    return [...fresh.filter(isEnabled), ...fresh.filter((client) => !isEnabled(client))];
  }

  async #rotate(client) {
    const { outcome, pace } = this;
    const entry = { id: client.id, name: client.clientId };
    const path = clientPath(this.realm, client.id);
    const now = performance.now();
    const turn = Math.max(now, this.#sentAt + 1000 / pace.rate);
    await this.#sleep(turn - now);
    if (this.#aborted) return;
    try {
      const found = await getIfThere(path);
      if (this.#aborted) return;
      if (!found || !this.selection.includes(found)) {
        outcome.skipped.push(entry);
        return;
      }
      this.#sentAt = turn;
      const { body, sequence } = await change("POST", `${path}/rotations`, {
        json: { kind: "secret", reason: this.reason },
        wait: 0,
        headers: { Prefer: "respond-async" },
      });
      outcome.rotated.push(entry);
      outcome.sequence = sequence || outcome.sequence;
      if (this.#canaries < pace.canary && isEnabled(found)) {
        this.#canaries += 1;
        outcome.unused.push({ ...entry, rotation: body.id });
      }
    } catch (error) {
      if (error.status === undefined || HOPELESS.includes(error.status)) throw error;
      if (error.status === CONFLICT) outcome.underWay.push(entry);
      else if (error.status === NOT_FOUND) outcome.skipped.push(entry);
      else outcome.failed.push({ ...entry, reason: error.message });
    }
  }

  /** Wait until the first clients use their new secrets. Returns why to stop, or null. */
  async #watch() {
    const { outcome, pace } = this;
    const until = performance.now() + pace.canarySeconds * 1000;
    try {
      for (;;) {
        const states = [];
        for (const entry of [...outcome.unused]) {
          const rotation = await get(`${this.base}/rotations/${encodeURIComponent(entry.rotation)}`);
          states.push(rotation.state);
          if (isUsed(rotation)) outcome.unused.splice(outcome.unused.indexOf(entry), 1);
          else if (FORMER_ENDED.includes(rotation.state))
            return `The former secret of ${entry.name} ended before the new one was used.`;
        }
        const givenUp = states.filter((state) => GIVEN_UP.includes(state)).length;
        if (givenUp) return `${givenUp} of the first ${this.#canaries} rotations were given up.`;
        if (!outcome.unused.length) return null;
        outcome.waiting = `${outcome.unused.length} of the first ${this.#canaries} clients`;
        if (performance.now() >= until) return `Not used in time: the new secrets of ${outcome.waiting}.`;
        this.tell(outcome);
        await this.#sleep(POLL_MS);
        if (this.#aborted) return "You stopped it.";
      }
    } finally {
      outcome.waiting = null;
    }
  }

  #sleep(milliseconds) {
    if (milliseconds <= 0 || this.#aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether the client has used its new secret. A former secret that ended otherwise was retired without that. */
const isUsed = ({ state, history }) =>
  !GIVEN_UP.includes(state) && history.some((move) => move.state === "in_use");
