// The Credentials tab: how the client proves itself, and everything it proves itself with.
import { change, get } from "../api.js";
import { badge, busy, button, card, checkbox, confirm, copyable, empty, field, hiddenSecret, input, moment, notice, reportChange, save, select, table, toast } from "../components.js";
import { fill, h } from "../dom.js";
import { AUTHENTICATORS } from "./clients.js";

const ATTRIBUTE = "jwt.credential";
const ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const SYMMETRIC = ["HS256", "HS384", "HS512"];
const ARCHIVES = ["PKCS12", "JKS"];
const IMPORTS = ["Certificate PEM", "Public Key PEM", "JSON Web Key Set", "PKCS12", "JKS"];

export async function credentialsTab(context) {
  const { client, body } = context;
  const again = async () => {
    Object.assign(client, await get(context.path));
    await credentialsTab(context);
  };
  const parts = [authenticatorCard(context, again)];
  const type = client.clientAuthenticatorType;
  if (type === "client-secret" || type === "client-secret-jwt") parts.push(await secretCard(context, again));
  if (type === "client-jwt") parts.push(keySourceCard(context, again), certificateCard(context, again));
  if (type === "client-x509") parts.push(x509Card(context, again));
  parts.push(await keysCard(context, again));
  fill(body, parts);
}

/** Save some attributes; '' removes one. */
async function saveAttributes({ client, path }, attributes, other = {}) {
  const { fleet } = await change("PUT", path, { json: { ...client, ...other, attributes: { ...client.attributes, ...attributes } } });
  return fleet;
}

function authenticatorCard(context, again) {
  const { client } = context;
  const attributes = client.attributes || {};
  const type = select(AUTHENTICATORS, client.clientAuthenticatorType);
  const options = h("div", { class: "stack" });
  const submit = h("button", { class: "button primary" }, "Save");
  let controls = {};

  // What belongs to a choice is shown at once, before anything is saved.
  function showOptions() {
    controls = {};
    const lines = [];
    if (type.value === "client-secret") {
      controls["client.secret.authentication.allowed.method"] = select(
        [["", "Basic header or request body"], ["client_secret_basic", "Basic header only"], ["client_secret_post", "Request body only"]],
        attributes["client.secret.authentication.allowed.method"] || "",
      );
      lines.push(field("The secret may be sent in", controls["client.secret.authentication.allowed.method"]));
    }
    if (type.value === "client-jwt" || type.value === "client-secret-jwt") {
      const algorithms = type.value === "client-jwt" ? ASYMMETRIC : SYMMETRIC;
      controls["token.endpoint.auth.signing.alg"] = select([["", "Any"], ...algorithms.map((name) => [name, name])], attributes["token.endpoint.auth.signing.alg"] || "");
      controls["token.endpoint.auth.signing.max.exp"] = input(attributes["token.endpoint.auth.signing.max.exp"] || "", { type: "number", min: 1, max: 3600, placeholder: "60" });
      lines.push(
        field("Signature algorithm", controls["token.endpoint.auth.signing.alg"], "An assertion signed with another one is refused."),
        field("Longest life of an assertion, seconds", controls["token.endpoint.auth.signing.max.exp"]),
      );
    }
    fill(options, lines);
  }
  type.addEventListener("change", showOptions);
  showOptions();
  return card(
    "Client authenticator",
    { note: "How this client proves who it is." },
    h(
      "form",
      {
        class: "stack",
        onsubmit: async (event) => {
          event.preventDefault();
          if (type.value !== client.clientAuthenticatorType) {
            const sure = await confirm({
              title: "Change the authenticator?",
              consequences: ["What the client uses today is refused by all nodes as soon as this is saved.", "The client has to be set up for the new way first, or it will fail until it is."],
              action: "Change it",
            });
            if (!sure) return;
          }
          busy(submit, async () => {
            const chosen = Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value]));
            const fleet = await saveAttributes(context, chosen, { clientAuthenticatorType: type.value });
            reportChange("Saved.", fleet);
            await again();
          });
        },
      },
      field("Client authenticator", type),
      options,
      h("div", { class: "actions" }, submit),
    ),
  );
}

async function secretCard({ path }, again) {
  let rotated = null;
  try {
    rotated = await get(`${path}/client-secret/rotated`);
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  const current = h(
    "dl",
    { class: "facts" },
    h("div", {}, h("dt", {}, "Client secret"), h("dd", {}, hiddenSecret(async () => (await get(`${path}/client-secret`)).value, "client secret"))),
    rotated
      ? h(
          "div",
          {},
          h("dt", {}, "Former secret"),
          h("dd", {}, hiddenSecret(async () => (await get(`${path}/client-secret/rotated`)).value, "former secret"), " ", badge("still accepted", "warning"), button("Invalidate", invalidate, { kind: "danger small quiet" })),
        )
      : null,
  );

  async function regenerate(event) {
    const sure = await confirm({
      title: "Regenerate the secret?",
      consequences: [
        "A new secret is made; the client has to be given it.",
        "Without a rotation policy the present secret is refused by all nodes at once. With one, it stays valid for the time the policy allows.",
      ],
      action: "Regenerate",
    });
    if (!sure) return;
    await busy(event.target, async () => {
      const { fleet } = await change("POST", `${path}/client-secret`);
      reportChange("A new secret is in force.", fleet);
      await again();
    });
  }

  async function invalidate(event) {
    const sure = await confirm({ title: "Invalidate the former secret?", consequences: ["Clients that still use it are refused by all nodes."], action: "Invalidate" });
    if (!sure) return;
    await busy(event.target, async () => {
      const { fleet } = await change("DELETE", `${path}/client-secret/rotated`);
      reportChange("The former secret is refused.", fleet);
      await again();
    });
  }

  return card("Secret", { actions: button("Regenerate", regenerate, { kind: "danger quiet" }) }, current);
}

function keySourceCard(context, again) {
  const { client, path, base } = context;
  const attributes = client.attributes || {};
  const present = attributes["use.jwks.url"] === "true" ? "url" : attributes["use.jwks.string"] === "true" ? "string" : "certificate";
  const source = select([["url", "A JWKS URL that the client serves"], ["string", "A JWK Set kept here"], ["certificate", "A certificate or key kept here"]], present);
  const url = input(attributes["jwks.url"] || "", { type: "text", placeholder: "https://client.example/jwks.json", spellcheck: "false" });
  const jwks = h("textarea", { rows: 8, class: "mono", spellcheck: "false", placeholder: '{"keys": […]}' }, attributes["jwks.string"] || "");
  const options = h("div", { class: "stack" });
  const result = h("div", { "aria-live": "polite" });
  const submit = h("button", { class: "button primary" }, "Save");

  async function test(event) {
    fill(result, h("p", { class: "loading" }, "Fetching…"));
    await busy(event.target, async () => {
      try {
        const { body } = await change("POST", `${path}/jwks-url/test`, { json: { url: url.value }, wait: 0 });
        fill(result, notice(`The URL answers with ${body.keys.length} usable ${body.keys.length === 1 ? "key" : "keys"}.`, "good"), keyTable(body.keys));
      } catch (error) {
        fill(result, notice(error.message, "error"));
      }
    });
  }

  async function clear(event) {
    await busy(event.target, async () => {
      const { fleet } = await change("POST", `${path}/clear-keys-cache`);
      reportChange("Key cache cleared; the keys are fetched anew.", fleet);
    });
  }

  function showOptions() {
    fill(result);
    if (source.value === "url") {
      fill(
        options,
        field("JWKS URL", url, "Fetched once for the whole fleet, again before it gets stale, and when a new key id is seen. Keys withdrawn there stop being accepted."),
        h("div", { class: "actions" }, button("Test now", test), present === "url" ? button("Clear key cache", clear) : null),
      );
    } else if (source.value === "string") fill(options, field("JWK Set", jwks, "Public keys only. A set that holds a private key is refused."));
    else fill(options, h("p", { class: "help" }, "Generate or import one below."));
  }
  source.addEventListener("change", showOptions);
  showOptions();
  return card(
    "Keys of the client",
    { note: `What assertions are verified with. ${base ? "" : ""}` },
    h(
      "form",
      {
        class: "stack",
        onsubmit: async (event) => {
          event.preventDefault();
          busy(submit, async () => {
            const fleet = await saveAttributes(context, {
              "use.jwks.url": String(source.value === "url"),
              "use.jwks.string": String(source.value === "string"),
              ...(source.value === "url" ? { "jwks.url": url.value } : {}),
              ...(source.value === "string" ? { "jwks.string": jwks.value } : {}),
            });
            reportChange("Saved.", fleet);
            await again();
          });
        },
      },
      field("Source", source),
      options,
      result,
      h("div", { class: "actions" }, submit),
    ),
  );
}

function certificateCard(context, again) {
  const { client, path } = context;
  const place = h("div", {});
  const shown = h("div", {});

  function generate() {
    const kind = select([["RSA-2048", "RSA 2048"], ["RSA-3072", "RSA 3072"], ["RSA-4096", "RSA 4096"], ["EC-P-256", "EC P-256"], ["EC-P-384", "EC P-384"], ["EC-P-521", "EC P-521"], ["Ed25519", "Ed25519"]], "RSA-4096");
    const format = select(ARCHIVES.map((name) => [name, name]), "PKCS12");
    const alias = input(client.clientId, { required: true });
    const keyPassword = input("", { type: "password", required: true, autocomplete: "new-password" });
    const storePassword = input("", { type: "password", required: true, autocomplete: "new-password" });
    const years = input("3", { type: "number", min: 1, max: 10 });
    const realm = checkbox("Include the realm's certificate", false);
    const submit = h("button", { class: "button primary" }, "Generate and download");
    fill(
      place,
      h(
        "form",
        {
          class: "stack inset",
          onsubmit: (event) => {
            event.preventDefault();
            busy(submit, async () => {
              const [keyType, size] = kind.value.startsWith("RSA") ? ["RSA", Number(kind.value.slice(4))] : [kind.value, undefined];
              const { body, fleet } = await change("POST", `${path}/certificates/${ATTRIBUTE}/generate-and-download`, {
                json: { format: format.value, keyAlias: alias.value, keyPassword: keyPassword.value, storePassword: storePassword.value, realmCertificate: realm.box.checked, validity: Number(years.value), keyType, keySize: size },
                headers: { Accept: "application/octet-stream" },
              });
              save(body, `keystore.${format.value === "JKS" ? "jks" : "p12"}`);
              reportChange("The key pair was made. Only its certificate is kept here: keep the file.", fleet);
              await again();
            });
          },
        },
        h("h3", {}, "Generate new keys"),
        h("div", { class: "columns" }, field("Key", kind), field("Archive format", format), field("Key alias", alias), field("Valid for, years", years), field("Key password", keyPassword), field("Store password", storePassword)),
        realm.line,
        notice("The private key leaves with the download and is forgotten. The keys in use now are replaced.", "info"),
        h("div", { class: "actions" }, submit, button("Cancel", () => fill(place))),
      ),
    );
    kind.focus();
  }

  function importKeys() {
    const format = select(IMPORTS.map((name) => [name, name]), "Certificate PEM");
    const file = h("input", { type: "file", required: true });
    const alias = input(client.clientId);
    const keyPassword = input("", { type: "password", autocomplete: "off" });
    const storePassword = input("", { type: "password", autocomplete: "off" });
    const archive = h("div", { class: "columns" }, field("Key alias", alias), field("Key password", keyPassword), field("Store password", storePassword));
    const submit = h("button", { class: "button primary" }, "Import");
    const showArchive = () => { archive.hidden = !ARCHIVES.includes(format.value); };
    format.addEventListener("change", showArchive);
    showArchive();
    fill(
      place,
      h(
        "form",
        {
          class: "stack inset",
          onsubmit: (event) => {
            event.preventDefault();
            busy(submit, async () => {
              const form = new FormData();
              form.set("keystoreFormat", format.value);
              form.set("file", file.files[0]);
              if (!archive.hidden) {
                form.set("keyAlias", alias.value);
                form.set("keyPassword", keyPassword.value);
                form.set("storePassword", storePassword.value);
              }
              const { fleet } = await change("POST", `${path}/certificates/${ATTRIBUTE}/upload-certificate`, { form });
              reportChange("Imported.", fleet);
              await again();
            });
          },
        },
        h("h3", {}, "Import a certificate or keys"),
        h("div", { class: "columns" }, field("Archive format", format), field("File", file)),
        archive,
        h("div", { class: "actions" }, submit, button("Cancel", () => fill(place))),
      ),
    );
    format.focus();
  }

  get(`${path}/certificates/${ATTRIBUTE}`).then(
    (kept) => {
      if (kept.certificate || kept.publicKey) {
        fill(
          shown,
          h(
            "dl",
            { class: "facts" },
            kept.kid ? h("div", {}, h("dt", {}, "Key id"), h("dd", {}, copyable(kept.kid, "key id"))) : null,
            h("div", {}, h("dt", {}, kept.certificate ? "Certificate" : "Public key"), h("dd", {}, copyable(kept.certificate || kept.publicKey, "certificate"))),
          ),
        );
      } else fill(shown, empty("No certificate yet", "Generate a key pair, or import the client's certificate."));
    },
    (error) => toast(error.message, "error"),
  );
  return card(
    "Certificate",
    { note: "Kept here; the private key never is.", actions: [button("Generate new keys", generate, { glyph: "key" }), button("Import", importKeys)] },
    shown,
    place,
  );
}

function x509Card(context, again) {
  const attributes = context.client.attributes || {};
  const subject = input(attributes["x509.subjectdn"] || "", { placeholder: "CN=billing,O=Example", spellcheck: "false" });
  const pattern = checkbox("The subject is a regular expression", attributes["x509.allow.regex.pattern.comparison"] === "true");
  const submit = h("button", { class: "button primary" }, "Save");
  return card(
    "X509 certificate",
    { note: "The client presents a certificate in TLS (RFC 8705)." },
    h(
      "form",
      {
        class: "stack",
        onsubmit: (event) => {
          event.preventDefault();
          busy(submit, async () => {
            const fleet = await saveAttributes(context, { "x509.subjectdn": subject.value, "x509.allow.regex.pattern.comparison": String(pattern.box.checked) });
            reportChange("Saved.", fleet);
            await again();
          });
        },
      },
      field("Subject DN", subject),
      pattern.line,
      h("div", { class: "actions" }, submit),
    ),
  );
}

function keyTable(keys, revoke) {
  return table(
    "Keys",
    ["Key id", "Algorithm", "Thumbprint", "Source", "Expires", "Last used", revoke ? "" : null].filter((name) => name !== null),
    keys.map((key) => [
      key.kid ? h("code", { class: "cut", title: key.kid }, key.kid) : null,
      [key.kty, key.crv || key.size, key.alg].filter(Boolean).join(" · "),
      key.thumbprint ? copyable(key.thumbprint, "thumbprint") : null,
      { certificate: "Certificate", jwks: "JWK Set", jwks_url: "JWKS URL" }[key.source] || key.source,
      moment(key.not_after || key.expires_at),
      moment(key.last_used_at),
      ...(revoke ? [key.revoked_at ? badge("Revoked", "bad") : button("Revoke", (event) => revoke(event, key), { kind: "danger small quiet", "aria-label": `Revoke key ${key.kid || key.thumbprint}` })] : []),
    ]),
  );
}

async function keysCard({ path }, again) {
  const keys = await get(`${path}/keys`);

  async function revoke(event, key) {
    const sure = await confirm({
      title: "Revoke this key for ever?",
      consequences: [
        "No node accepts a signature of this key any more, under any key id, whatever the JWKS URL serves.",
        "A revocation cannot be taken back. If the client still signs with this key, it stops working now.",
      ],
      action: "Revoke the key",
      body: h("p", {}, h("code", {}, key.thumbprint)),
    });
    if (!sure) return;
    await busy(event.target, async () => {
      const { fleet } = await change("POST", `${path}/keys/${encodeURIComponent(key.thumbprint)}/revoke`);
      reportChange("Key revoked.", fleet);
      await again();
    });
  }

  return card(
    "Keys in force",
    { note: "Every public key that verifiers know of this client, and those revoked." },
    keys.length ? keyTable(keys, revoke) : empty("No keys", "This client has no public keys yet."),
  );
}
