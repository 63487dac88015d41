// Calls to the server. Changes carry the session's CSRF token, and each requests a wait for the fleet.

const WAIT_SECONDS = 15;
/** The status of a change that names a former version. */
export const CHANGED_MEANWHILE = 412;
const RENEW_MS = 5 * 60_000;
const ENDED = "Your session has ended. Sign in again, then repeat this.";
/** What the server says about its own parts, for people. */
const IN_WORDS = {
  redis_unavailable: "Redis is not responding. Try again in a moment; see Fleet.",
  store_unavailable: "The database is not responding. Try again in a moment.",
  internal_error: "The server failed. Its log says why.",
};
const FORBIDDEN = "You do not have permission: the client that you signed in with lacks the required role.";
const FORBIDDEN_TO_PERSON = "You do not have permission: you lack the required role.";

export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {string} [code] @param {{detail: string, pointer: string}[]} [errors] */
  constructor(status, message, code, errors = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

let session = null;
let renewedAt = 0;
/** @type {(lost: any) => void} */
let whenLost = () => {};

/** `listener` is called with the session that ended, to show the sign-in page. */
export const onSessionLost = (listener) => (whenLost = listener);

async function errorOf(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    if (body.detail === "HTTP 403 Forbidden") body.detail = session?.person ? FORBIDDEN_TO_PERSON : FORBIDDEN;
    if (body.detail === "HTTP 401 Unauthorized") body.detail = ENDED;
    if (IN_WORDS[body.code]) body.detail = IN_WORDS[body.code];
    const message = body.detail || body.errorMessage || body.error_description || body.error;
    return new ApiError(response.status, message || response.statusText, body.code, body.errors);
  } catch {
    return new ApiError(response.status, `The server answered ${response.status}, without a reason that can be shown.`);
  }
}

/**
 * Parts of a request: a JSON or form body, how many seconds to wait for the fleet (0: not at all), further headers.
 * @typedef {{json?: unknown, form?: FormData, wait?: number, headers?: Record<string, string>}} Options
 */

/**
 * Send a request; the answer is the Response. Throws ApiError with the server's error text.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 */
export async function send(method, path, { json, form, wait = null, headers = {} } = {}) {
  /** @type {RequestInit & {headers: Record<string, string>}} */
  const request = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  if (method !== "GET" && session) request.headers["X-CSRF-Token"] = session.csrf;
  if (wait !== null) request.headers.Prefer = wait ? `wait=${wait}` : "respond-async";
  if (json !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(json);
  }
  if (form) request.body = form;
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new ApiError(0, "The server is not responding. Check that it is running, then try again.");
  }
  if (response.status === 401 && session && !path.startsWith("/console/session")) {
    const lost = session;
    session = null;
    whenLost(lost);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

export const get = async (path) => (await send("GET", path)).json();

/** The server's time in whole seconds, from its response to a GET. */
export async function serverTime(path) {
  const { headers } = await send("GET", path);
  return Math.floor(Date.parse(headers.get("date")) / 1000);
}

/** Like `get`, with the version that a change must name, see `change`; and the server's note about what the next
 * change also does, or null. */
export async function getVersioned(path) {
  const response = await send("GET", path);
  const { headers } = response;
  return { value: await response.json(), version: headers.get("etag"), due: headers.get("keyturn-notice") };
}

/** What exists, or null. */
export async function getIfThere(path) {
  try {
    return await get(path);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/**
 * A change. `version`: refuse if somebody else changed it meanwhile. The answer is what the server said, and
 * what it knows of the fleet.
 * @param {string} method
 * @param {string} path
 * @param {Options & {version?: string | null}} [options]
 */
export async function change(method, path, { version = null, ...options } = {}) {
  const headers = { ...options.headers, ...(version ? { "If-Match": version } : {}) };
  const begun = performance.now();
  const response = await send(method, path, { wait: WAIT_SECONDS, ...options, headers });
  const milliseconds = performance.now() - begun;
  const type = response.headers.get("content-type") || "";
  const body = type.includes("json") ? await response.json() : await response.blob();
  const id = (response.headers.get("location") || "").split("/").pop();
  const sequence = Number(response.headers.get("keyturn-sequence")) || null;
  return { body, id, sequence, fleet: readFleet(response, milliseconds) };
}

/** Parse `Keyturn-Fleet: nodes=3, applied=2, fenced=1, pending=0` to numbers, or `unknown` to true; with `safe`,
 * sequence and duration. */
function readFleet(response, milliseconds) {
  const header = response.headers.get("keyturn-fleet");
  if (!header) return null;
  const counts = header.split(",").map((part) => {
    const [name, value] = part.trim().split("=");
    return [name, value === undefined ? true : Number(value)];
  });
  return {
    ...Object.fromEntries(counts),
    safe: response.headers.get("preference-applied") === "wait",
    sequence: Number(response.headers.get("keyturn-sequence")),
    milliseconds,
  };
}

export async function resumeSession() {
  const response = await send("GET", "/console/session");
  session = response.status === 204 ? null : await response.json();
  renewedAt = Date.now();
  return session;
}

/** Renew the session because its user works here: what the page does by itself renews nothing. */
async function renewByWork() {
  if (!session || Date.now() - renewedAt < RENEW_MS) return;
  renewedAt = Date.now();
  try {
    session = await (await send("PUT", "/console/session")).json();
  } catch {
    // The session lasts until its expiry; the next call that needs it says so.
  }
}
for (const work of ["keydown", "pointerdown"]) addEventListener(work, renewByWork, { capture: true, passive: true });

export async function signIn(credentials) {
  renewedAt = Date.now();
  session = await (await send("POST", "/console/session", { json: credentials })).json();
  return session;
}

/** How one can sign in: `provider`, the identity provider or null; `client_secret`, whether with one. */
export const waysToSignIn = () => get("/console/sign-in").catch(() => ({ client_secret: true, provider: null }));

/** Whether two sessions are of the same client or person. */
export const sameUser = (one, other) =>
  one.realm === other.realm && one.client_id === other.client_id && one.person?.subject === other.person?.subject;

/** The name of the session's client or person. */
export const userOf = (given) => given.person?.name ?? given.client_id;

export async function signOut() {
  await send("DELETE", "/console/session");
  session = null;
}

export const realmPath = (realm) => `/admin/realms/${encodeURIComponent(realm)}`;
export const clientPath = (realm, uuid) => `${realmPath(realm)}/clients/${encodeURIComponent(uuid)}`;
