// The current fleet for any listener: one stream of server-sent events for the whole console.
import { realmPath } from "./api.js";

const RETRY_MS = 2000;
const GATHER_MS = 1000;

/** Follows the fleet while the document is visible. `latest` is the server's last message, or null. */
export class Live {
  #listeners = new Set();
  #source = null;
  #realm = null;
  #retry = 0;
  latest = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#connect());
  }

  /** Follow with the permissions of this realm; null: stop. */
  follow(realm) {
    if (realm === this.#realm) return;
    this.#realm = realm;
    this.#connect();
  }

  /** Call a listener now, if something is known, and after every change. Returns a function that stops that. */
  listen(listener) {
    this.#listeners.add(listener);
    if (this.latest) listener(this.latest);
    return () => this.#listeners.delete(listener);
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    // A browser has few connections per origin: hidden pages hold none.
    if (this.#realm === null || document.hidden) return;
    const source = new EventSource(`${realmPath(this.#realm)}/fleet/stream`);
    this.#source = source;
    source.onmessage = (message) => this.#tell(JSON.parse(message.data));
    source.onerror = () => {
      this.#tell({ error: "lost" });
      // A refusal ends an event source permanently, but may be temporary.
      if (source.readyState === EventSource.CLOSED) this.#retry = setTimeout(() => this.#connect(), RETRY_MS);
    };
  }

  #tell(fleet) {
    this.latest = fleet;
    for (const listener of this.#listeners) listener(fleet);
  }
}

export const live = new Live();

/** Call `action` after changes, in a realm with many of them once a second. Returns a function that stops that. */
export function afterChanges(action) {
  let head = null;
  let timer = 0;
  const stop = live.listen((fleet) => {
    if (fleet.head === undefined || fleet.head === head) return;
    const isFirst = head === null;
    head = fleet.head;
    if (isFirst || timer) return;
    timer = setTimeout(() => {
      timer = 0;
      // The next change tries again after a failure here; the status on every page shows a failing server.
      action().catch(() => {});
    }, GATHER_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
