import { CERTIFICATE, KEY, linesOf, parameters, quoted, SECRET, TOKEN_FILE } from "./kinds.js";

const FOLLOWS =
  "With pip install keyturn, ClientCredentials does the same for httpx, keeps the token, and follows rotations.";

export function python({ clientId, issuer, tokenUrl, keyId, kind, secret: revealed }) {
  const secret = revealed ? quoted(revealed) : `os.environ["${SECRET}"]`;
  const isSigned = kind.id === "hmac" || kind.id === "key";
  const assertion = isSigned ? "assertion" : `Path("${TOKEN_FILE}").read_text().strip()`;
  const form = parameters({ kind, clientId, text: quoted, secret, assertion });
  const needsOs = (kind.hasSecret && !revealed) || kind.id === "key" || kind.id === "certificate";
  return {
    text: linesOf(
      needsOs && "import os",
      kind.id === "certificate" && "import ssl",
      isSigned && ["import time", "import uuid"],
      (kind.id === "key" || kind.id === "issued") && "from pathlib import Path",
      needsOs || isSigned || kind.id === "issued" ? "" : null,
      "import httpx",
      isSigned && "import jwt  # pip install 'pyjwt[crypto]'",
      "",
      isSigned && signing({ clientId, issuer, keyId, kind, secret }),
      kind.id === "certificate" && [
        "tls = ssl.create_default_context()",
        `tls.load_cert_chain(os.environ["${CERTIFICATE}"], os.environ["${KEY}"])`,
      ],
      "answer = httpx.post(",
      `    ${quoted(tokenUrl)},`,
      "    data={",
      form.map(([name, value]) => `        "${name}": ${value},`),
      "    },",
      kind.id === "basic" && `    auth=(${quoted(encodeURIComponent(clientId))}, ${secret}),`,
      kind.id === "certificate" && "    verify=tls,",
      ")",
      "answer.raise_for_status()",
      'print(answer.json()["access_token"])',
    ),
    note: kind.id === "basic" || kind.id === "key" ? FOLLOWS : null,
  };
}

const signing = ({ clientId, issuer, keyId, kind, secret }) => [
  "now = int(time.time())",
  `claims = {"iss": ${quoted(clientId)}, "sub": ${quoted(clientId)}, "aud": ${quoted(issuer)}}`,
  'claims |= {"jti": str(uuid.uuid4()), "iat": now, "exp": now + 60}',
  kind.id === "hmac"
    ? `assertion = jwt.encode(claims, ${secret}, algorithm="${kind.algorithm}")`
    : [
        `key = Path(os.environ["${KEY}"]).read_text()`,
        `assertion = jwt.encode(claims, key, algorithm="${kind.algorithm}"${keyId ? `, headers={"kid": ${quoted(keyId)}}` : ""})`,
      ],
  "",
];
