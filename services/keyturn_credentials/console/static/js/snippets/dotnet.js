import { CERTIFICATE, KEY, linesOf, parameters, quoted, SECRET, TOKEN_FILE } from "./kinds.js";

const PACKAGES =
  "It needs the package Microsoft.IdentityModel.JsonWebTokens, which signs with RSA, ECDSA and HMAC, and not with EdDSA.";

export function dotnet({ clientId, issuer, tokenUrl, keyId, kind, secret: revealed }) {
  const secret = revealed ? quoted(revealed) : `Environment.GetEnvironmentVariable("${SECRET}")!`;
  const isSigned = kind.id === "hmac" || kind.id === "key";
  const assertion = isSigned ? "assertion" : `File.ReadAllText("${TOKEN_FILE}").Trim()`;
  const form = parameters({ kind, clientId, text: quoted, secret, assertion });
  return {
    text: linesOf(
      kind.id === "basic" && ["using System.Net.Http.Headers;", "using System.Text;"],
      kind.id === "certificate" && "using System.Security.Cryptography.X509Certificates;",
      isSigned && [
        "using System.Security.Cryptography;",
        "using System.Text;",
        "using Microsoft.IdentityModel.JsonWebTokens;",
        "using Microsoft.IdentityModel.Tokens;",
      ],
      (isSigned || kind.id === "basic" || kind.id === "certificate") && "",
      isSigned && signing({ clientId, issuer, keyId, kind, secret }),
      kind.id === "certificate"
        ? [
            "var handler = new HttpClientHandler();",
            "handler.ClientCertificates.Add(X509Certificate2.CreateFromPemFile(",
            `    Environment.GetEnvironmentVariable("${CERTIFICATE}")!, Environment.GetEnvironmentVariable("${KEY}")!));`,
            "using var http = new HttpClient(handler);",
          ]
        : "using var http = new HttpClient();",
      kind.id === "basic" && [
        `var pair = Uri.EscapeDataString(${quoted(clientId)}) + ":" + Uri.EscapeDataString(${secret});`,
        'http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic",',
        "    Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));",
      ],
      `var answer = await http.PostAsync(${quoted(tokenUrl)}, new FormUrlEncodedContent(new Dictionary<string, string>`,
      "{",
      form.map(([name, value]) => `    ["${name}"] = ${value},`),
      "}));",
      "answer.EnsureSuccessStatusCode();",
      "Console.WriteLine(await answer.Content.ReadAsStringAsync()); // JSON with access_token",
    ),
    note: isSigned ? PACKAGES : null,
  };
}

function signing({ clientId, issuer, keyId, kind, secret }) {
  const isElliptic = kind.algorithm.startsWith("ES");
  return [
    kind.id === "hmac"
      ? `var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(${secret}));`
      : [
          `using var pair = ${isElliptic ? "ECDsa" : "RSA"}.Create();`,
          `pair.ImportFromPem(File.ReadAllText(Environment.GetEnvironmentVariable("${KEY}")!));`,
          `var key = new ${isElliptic ? "ECDsaSecurityKey" : "RsaSecurityKey"}(pair)${keyId ? ` { KeyId = ${quoted(keyId)} }` : ""};`,
        ],
    "var assertion = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor",
    "{",
    `    Issuer = ${quoted(clientId)},`,
    `    Audience = ${quoted(issuer)},`,
    "    IssuedAt = DateTime.UtcNow,",
    "    Expires = DateTime.UtcNow.AddMinutes(1),",
    "    Claims = new Dictionary<string, object>",
    "    {",
    `        ["sub"] = ${quoted(clientId)},`,
    '        ["jti"] = Guid.NewGuid().ToString(),',
    "    },",
    `    SigningCredentials = new SigningCredentials(key, "${kind.algorithm}"),`,
    "});",
    "",
  ];
}
