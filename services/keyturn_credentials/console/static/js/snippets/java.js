import { KEY, linesOf, parameters, quoted, SECRET, TOKEN_FILE } from "./kinds.js";

export function java({ clientId, issuer, tokenUrl, keyId, kind, secret: revealed }) {
  const secret = revealed ? quoted(revealed) : `System.getenv("${SECRET}")`;
  const isSigned = kind.id === "hmac" || kind.id === "key";
  const assertion = isSigned ? "jwt.serialize()" : `Files.readString(Path.of("${TOKEN_FILE}")).strip()`;
  const form = parameters({ kind, clientId, text: quoted, secret, assertion });
  const builder = kind.id === "certificate" ? "HttpClient.newBuilder().sslContext(tls).build()" : "HttpClient.newHttpClient()";
  return {
    text: linesOf(
      isSigned && [
        "import com.nimbusds.jose.*;",
        "import com.nimbusds.jose.crypto.*;",
        "import com.nimbusds.jose.crypto.factories.DefaultJWSSignerFactory;",
        "import com.nimbusds.jose.jwk.JWK;",
        "import com.nimbusds.jwt.*;",
      ],
      "import java.net.*;",
      "import java.net.http.*;",
      "import java.nio.file.*;",
      "import java.util.*;",
      "import java.util.stream.Collectors;",
      kind.id === "certificate" && ["import java.security.KeyStore;", "import javax.net.ssl.*;"],
      "import static java.nio.charset.StandardCharsets.UTF_8;",
      "",
      "public class GetToken {",
      "    static String encode(String text) {",
      "        return URLEncoder.encode(text, UTF_8);",
      "    }",
      "",
      "    public static void main(String[] args) throws Exception {",
      isSigned && signing({ clientId, issuer, keyId, kind, secret }),
      kind.id === "certificate" && TLS,
      "        var form = Map.of(",
      form.map(([name, value], index) => `            "${name}", ${value}${index < form.length - 1 ? "," : ");"}`),
      "        var body = form.entrySet().stream()",
      '            .map(each -> each.getKey() + "=" + encode(each.getValue()))',
      '            .collect(Collectors.joining("&"));',
      `        var request = HttpRequest.newBuilder(URI.create(${quoted(tokenUrl)}))`,
      '            .header("Content-Type", "application/x-www-form-urlencoded")',
      kind.id === "basic" && [
        '            .header("Authorization", "Basic " + Base64.getEncoder().encodeToString(',
        `                (encode(${quoted(clientId)}) + ":" + encode(${secret})).getBytes(UTF_8)))`,
      ],
      "            .POST(HttpRequest.BodyPublishers.ofString(body))",
      "            .build();",
      `        var answer = ${builder}.send(request, HttpResponse.BodyHandlers.ofString());`,
      "        if (answer.statusCode() != 200) throw new IllegalStateException(answer.body());",
      "        System.out.println(answer.body()); // JSON with access_token",
      "    }",
      "}",
    ),
    note:
      kind.id === "certificate"
        ? `Java reads PKCS#12: ${KEY} names the archive, CLIENT_KEY_PASSWORD holds its password.`
        : isSigned
          ? "It needs com.nimbusds:nimbus-jose-jwt, and org.bouncycastle:bcpkix-jdk18on to read PEM."
          : null,
  };
}

const TLS = [
  '        var password = System.getenv("CLIENT_KEY_PASSWORD").toCharArray();',
  `        var store = KeyStore.getInstance(Path.of(System.getenv("${KEY}")).toFile(), password);`,
  "        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());",
  "        keys.init(store, password);",
  '        var tls = SSLContext.getInstance("TLS");',
  "        tls.init(keys.getKeyManagers(), null, null);",
];

const signing = ({ clientId, issuer, keyId, kind, secret }) => [
  "        var now = System.currentTimeMillis();",
  "        var claims = new JWTClaimsSet.Builder()",
  `            .issuer(${quoted(clientId)}).subject(${quoted(clientId)}).audience(${quoted(issuer)})`,
  "            .jwtID(UUID.randomUUID().toString())",
  "            .issueTime(new Date(now)).expirationTime(new Date(now + 60_000))",
  "            .build();",
  kind.id === "key" && [
    `        var key = JWK.parseFromPEMEncodedObjects(Files.readString(Path.of(System.getenv("${KEY}"))));`,
  ],
  `        var algorithm = JWSAlgorithm.parse("${kind.algorithm}");`,
  `        var jwt = new SignedJWT(new JWSHeader.Builder(algorithm)${keyId && kind.id === "key" ? `.keyID(${quoted(keyId)})` : ""}.build(), claims);`,
  kind.id === "key"
    ? "        jwt.sign(new DefaultJWSSignerFactory().createJWSSigner(key, algorithm));"
    : `        jwt.sign(new MACSigner(${secret}));`,
];
