import { CERTIFICATE, KEY, linesOf, parameters, SECRET, TOKEN_FILE } from "./kinds.js";

const HASHES = { HS256: "sha256", HS384: "sha384", HS512: "sha512" };

/** A text as one word of a shell. */
const word = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export function curl({ clientId, issuer, tokenUrl, kind, secret }) {
  const form = parameters({
    kind,
    clientId,
    text: (text) => ({ text }),
    secret: secret ? { text: secret } : { variable: SECRET },
    assertion: kind.id === "issued" ? { file: TOKEN_FILE } : { variable: "ASSERTION" },
  });
  const options = form.map(([name, value]) => `--data-urlencode ${option(name, value)}`);
  if (kind.id === "basic")
    options.unshift(`--user ${secret ? word(`${clientId}:${secret}`) : `${word(`${clientId}:`)}"$${SECRET}"`}`);
  if (kind.id === "certificate") options.unshift(`--cert "$${CERTIFICATE}" --key "$${KEY}"`);
  return {
    text: linesOf(kind.id === "hmac" && signing({ clientId, issuer, kind, secret }), [
      `curl --fail-with-body ${word(tokenUrl)} \\`,
      options.map((each, index) => `  ${each}${index < options.length - 1 ? " \\" : ""}`),
    ]),
    note: kind.id === "key" ? "curl cannot sign. ASSERTION holds a JWT that another program has signed: see the other languages." : null,
  };
}

const option = (name, { text, variable, file }) =>
  file ? `${name}@${file}` : variable ? `"${name}=$${variable}"` : word(`${name}=${text}`);

/** Commands that put a JWT signed with the secret into ASSERTION. */
function signing({ clientId, issuer, kind, secret }) {
  const claims = JSON.stringify({ iss: clientId, sub: clientId, aud: issuer });
  const value = secret ? word(secret) : `"$${SECRET}"`;
  return [
    `encode() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }`,
    "now=$(date +%s)",
    `claims=${word(claims.slice(0, -1))}`,
    `head=$(printf %s '{"alg":"${kind.algorithm}","typ":"JWT"}' | encode)`,
    `body=$(printf '%s,"jti":"%s","iat":%d,"exp":%d}' "$claims" "$(openssl rand -hex 16)" "$now" "$((now + 60))" | encode)`,
    `signature=$(printf %s "$head.$body" | openssl dgst -${HASHES[kind.algorithm]} -hmac ${value} -binary | encode)`,
    'ASSERTION="$head.$body.$signature"',
    "",
  ];
}
