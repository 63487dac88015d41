import { CERTIFICATE, KEY, linesOf, parameters, quoted, SECRET, TOKEN_FILE } from "./kinds.js";

/** What reads a key of an algorithm from PEM. */
const READERS = { RS: "ParseRSAPrivateKeyFromPEM", PS: "ParseRSAPrivateKeyFromPEM", ES: "ParseECPrivateKeyFromPEM", Ed: "ParseEdPrivateKeyFromPEM" };

export function go({ clientId, issuer, tokenUrl, keyId, kind, secret: revealed }) {
  const secret = revealed ? quoted(revealed) : `os.Getenv("${SECRET}")`;
  const isSigned = kind.id === "hmac" || kind.id === "key";
  const assertion = isSigned ? "assertion" : "strings.TrimSpace(string(token))";
  const form = parameters({ kind, clientId, text: quoted, secret, assertion });
  const longest = Math.max(...form.map(([name]) => name.length));
  const usesOs = !revealed || !kind.hasSecret;
  const packages = ["fmt", "io", "log", "net/http", "net/url"];
  if (kind.id === "certificate") packages.push("crypto/tls");
  if (usesOs) packages.push("os");
  packages.push("strings");
  if (isSigned) packages.push("time");
  return {
    text: linesOf(
      "package main",
      "",
      "import (",
      packages.sort().map((name) => `\t"${name}"`),
      isSigned && ["", '\t"github.com/golang-jwt/jwt/v5"', '\t"github.com/google/uuid"'],
      ")",
      "",
      "func main() {",
      isSigned && signing({ clientId, issuer, keyId, kind, secret }),
      kind.id === "issued" && [`\ttoken, err := os.ReadFile("${TOKEN_FILE}")`, ...fails],
      kind.id === "certificate" && [
        `\tpair, err := tls.LoadX509KeyPair(os.Getenv("${CERTIFICATE}"), os.Getenv("${KEY}"))`,
        ...fails,
        "\thttp.DefaultTransport.(*http.Transport).TLSClientConfig = &tls.Config{Certificates: []tls.Certificate{pair}}",
      ],
      "\tform := url.Values{",
      // Aligned as gofmt does.
      form.map(([name, value]) => `\t\t"${name}":${" ".repeat(longest - name.length + 1)}{${value}},`),
      "\t}",
      `\trequest, err := http.NewRequest("POST", ${quoted(tokenUrl)}, strings.NewReader(form.Encode()))`,
      ...fails,
      '\trequest.Header.Set("Content-Type", "application/x-www-form-urlencoded")',
      kind.id === "basic" && `\trequest.SetBasicAuth(url.QueryEscape(${quoted(clientId)}), url.QueryEscape(${secret}))`,
      "\tanswer, err := http.DefaultClient.Do(request)",
      ...fails,
      "\tdefer answer.Body.Close()",
      "\tbody, err := io.ReadAll(answer.Body)",
      ...fails,
      "\tif answer.StatusCode != http.StatusOK {",
      "\t\tlog.Fatalf(\"%s: %s\", answer.Status, body)",
      "\t}",
      "\tfmt.Println(string(body)) // JSON with access_token",
      "}",
    ),
    note: isSigned ? "It needs the modules github.com/golang-jwt/jwt/v5 and github.com/google/uuid." : null,
  };
}

const fails = ["\tif err != nil {", "\t\tlog.Fatal(err)", "\t}"];

const signing = ({ clientId, issuer, keyId, kind, secret }) => [
  kind.id === "hmac"
    ? `\tkey := []byte(${secret})`
    : [
        `\tpem, err := os.ReadFile(os.Getenv("${KEY}"))`,
        ...fails,
        `\tkey, err := jwt.${READERS[kind.algorithm.slice(0, 2)]}(pem)`,
        ...fails,
      ],
  "\tnow := time.Now()",
  `\tsigned := jwt.NewWithClaims(jwt.SigningMethod${kind.algorithm}, jwt.MapClaims{`,
  `\t\t"iss": ${quoted(clientId)}, "sub": ${quoted(clientId)}, "aud": ${quoted(issuer)},`,
  '\t\t"jti": uuid.NewString(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),',
  "\t})",
  keyId && kind.id === "key" && `\tsigned.Header["kid"] = ${quoted(keyId)}`,
  "\tassertion, err := signed.SignedString(key)",
  ...fails,
];
