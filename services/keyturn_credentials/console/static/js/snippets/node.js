import { CERTIFICATE, KEY, linesOf, parameters, quoted, SECRET, TOKEN_FILE } from "./kinds.js";

export function node({ clientId, issuer, tokenUrl, keyId, kind, secret: revealed }) {
  const secret = revealed ? quoted(revealed) : `process.env.${SECRET}`;
  const isSigned = kind.id === "hmac" || kind.id === "key";
  const readsFiles = ["key", "certificate", "issued"].includes(kind.id);
  const assertion = isSigned ? "assertion" : `readFileSync("${TOKEN_FILE}", "utf8").trim()`;
  const form = parameters({ kind, clientId, text: quoted, secret, assertion });
  return {
    text: linesOf(
      isSigned && 'import { randomUUID } from "node:crypto";',
      readsFiles && 'import { readFileSync } from "node:fs";',
      kind.id === "key" && 'import { importPKCS8, SignJWT } from "jose";',
      kind.id === "hmac" && 'import { SignJWT } from "jose";',
      kind.id === "certificate" && 'import { Agent, fetch } from "undici";',
      (isSigned || readsFiles) && "",
      isSigned && signing({ clientId, issuer, keyId, kind, secret }),
      kind.id === "basic" &&
        `const basic = Buffer.from(\`\${encodeURIComponent(${quoted(clientId)})}:\${encodeURIComponent(${secret})}\`).toString("base64");`,
      kind.id === "certificate" && [
        `const cert = readFileSync(process.env.${CERTIFICATE});`,
        `const key = readFileSync(process.env.${KEY});`,
      ],
      `const answer = await fetch(${quoted(tokenUrl)}, {`,
      '  method: "POST",',
      kind.id === "basic" && "  headers: { Authorization: `Basic ${basic}` },",
      kind.id === "certificate" && "  dispatcher: new Agent({ connect: { cert, key } }),",
      "  body: new URLSearchParams({",
      form.map(([name, value]) => `    ${name}: ${value},`),
      "  }),",
      "});",
      "if (!answer.ok) throw new Error(await answer.text());",
      "console.log((await answer.json()).access_token);",
    ),
    note: isSigned ? "Save it as a module (.mjs). It needs the package jose." : kind.id === "certificate" ? "Save it as a module (.mjs). It needs the package undici." : "Save it as a module (.mjs).",
  };
}

const signing = ({ clientId, issuer, keyId, kind, secret }) => [
  kind.id === "hmac"
    ? `const key = new TextEncoder().encode(${secret});`
    : `const key = await importPKCS8(readFileSync(process.env.${KEY}, "utf8"), "${kind.algorithm}");`,
  "const assertion = await new SignJWT()",
  `  .setProtectedHeader({ alg: "${kind.algorithm}"${keyId && kind.id === "key" ? `, kid: ${quoted(keyId)}` : ""} })`,
  `  .setIssuer(${quoted(clientId)})`,
  `  .setSubject(${quoted(clientId)})`,
  `  .setAudience(${quoted(issuer)})`,
  "  .setJti(randomUUID())",
  "  .setIssuedAt()",
  '  .setExpirationTime("60s")',
  "  .sign(key);",
  "",
];
