// Node.js: fetch (undici).
const { TOKEN_URL, ADMIN_URL, CLIENT_ID, CLIENT_SECRET, NAME } = process.env;
const statuses = [];

async function call(method, url, headers, body) {
  const answer = await fetch(url, { method, headers, body });
  const text = await answer.text();
  statuses.push(answer.status);
  return { headers: answer.headers, value: text ? JSON.parse(text) : null };
}

const basic = { Authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}` };
const form = () => new URLSearchParams({ grant_type: "client_credentials" });
const token = (await call("POST", TOKEN_URL, basic, form())).value.access_token;
const json = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
const created = await call("POST", ADMIN_URL, json, JSON.stringify({ clientId: NAME }));
const secretUrl = `${ADMIN_URL}/${created.headers.get("Location").split("/").pop()}/client-secret`;
const made = (await call("POST", secretUrl, json, "{}")).value.value;
const read = (await call("GET", secretUrl, { Authorization: `Bearer ${token}` })).value.value;
await call("POST", TOKEN_URL, basic, form());
console.log(JSON.stringify({ statuses, kept: made.length > 0 && made === read }));
