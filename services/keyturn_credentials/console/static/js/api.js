// Calls to the server. Changes carry the session's CSRF token; a wait for the fleet is asked for each of them.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let session = null;
const lost = new EventTarget();

export const currentSession = () => session;

/** Called when the session ended, so that the sign-in page is shown. */
export const onSessionLost = (listener) => lost.addEventListener("lost", listener);

async function readError(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    return body.detail || body.errorMessage || body.error_description || body.error || response.statusText;
  } catch {
    return text.slice(0, 300) || response.statusText || `status ${response.status}`;
  }
}

/** Send a request; the answer is the Response. Throws ApiError with what the server said was wrong. */
export async function send(method, path, { json, form, wait, headers = {} } = {}) {
  const request = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  if (method !== "GET" && session) request.headers["X-CSRF-Token"] = session.csrf;
  if (wait) request.headers.Prefer = `wait=${wait}`;
  if (json !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(json);
  }
  if (form) request.body = form;
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new ApiError(0, "The server does not answer. Check that it runs, then try again.");
  }
  if (response.status === 401 && !path.startsWith("/console/session")) {
    session = null;
    lost.dispatchEvent(new Event("lost"));
  }
  if (!response.ok) throw new ApiError(response.status, await readError(response));
  return response;
}

const parsed = async (response) => (response.status === 204 ? null : response.json());

export const get = async (path) => parsed(await send("GET", path));

/** A change; the answer is {body, fleet}: what the server said, and what it knows of the fleet. */
export async function change(method, path, options = {}) {
  const response = await send(method, path, { wait: 15, ...options });
  const type = response.headers.get("content-type") || "";
  const body =
    response.status === 204 || response.headers.get("content-length") === "0"
      ? null
      : type.includes("json")
        ? await response.json()
        : await response.blob();
  return { body, fleet: readFleet(response), location: response.headers.get("location") };
}

/** `Keyturn-Fleet: nodes=3, applied=2, fenced=1, pending=0` as numbers, with `safe` and the sequence. */
function readFleet(response) {
  const header = response.headers.get("keyturn-fleet");
  if (!header) return null;
  const counts = Object.fromEntries(
    header.split(",").map((part) => {
      const [name, value] = part.trim().split("=");
      return [name, Number(value)];
    }),
  );
  return {
    ...counts,
    safe: response.headers.get("preference-applied") === "wait",
    sequence: Number(response.headers.get("keyturn-sequence")),
  };
}

export async function resumeSession() {
  try {
    session = await get("/console/session");
  } catch (error) {
    if (error.status !== 401) throw error;
    session = null;
  }
  return session;
}

export async function signIn(credentials) {
  session = await parsed(await send("POST", "/console/session", { json: credentials }));
  return session;
}

export async function signOut() {
  await send("DELETE", "/console/session");
  session = null;
}

export const realmPath = (realm) => `/admin/realms/${encodeURIComponent(realm)}`;
export const clientPath = (realm, uuid) => `${realmPath(realm)}/clients/${encodeURIComponent(uuid)}`;
