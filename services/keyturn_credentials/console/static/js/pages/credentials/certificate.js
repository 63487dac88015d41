// A certificate or public key stored here: generated, with the private half handed out, or imported.
import { authenticator, keySource } from "../../authenticators.js";
import { change } from "../../api.js";
import { h } from "../../dom.js";
import { button, checkbox, facts, field, form, input, select } from "../../parts/controls.js";
import { copyButton, save } from "../../parts/copying.js";
import { openDialog } from "../../parts/dialog.js";
import { empty, notice, reportChange } from "../../parts/feedback.js";
import { reportWhenSettled } from "../../parts/on-its-way.js";
import { distance, exact } from "../../time.js";
import { saveFirst } from "./secret.js";

const ATTRIBUTE = "jwt.credential";
const KEY_TYPES = [
  ["P-256", "EC P-256 (ES256)"],
  ["P-384", "EC P-384 (ES384)"],
  ["P-521", "EC P-521 (ES512)"],
  ["Ed25519", "Ed25519 (EdDSA)"],
  ["RSA-2048", "RSA 2048"],
  ["RSA-3072", "RSA 3072"],
  ["RSA-4096", "RSA 4096"],
];
const ARCHIVES = [
  ["PKCS12", "PKCS12"],
  ["JKS", "JKS"],
];
const IMPORTS = ["Certificate PEM", "Public Key PEM", "JSON Web Key Set", "JKS", "PKCS12"];
const SUFFIXES = { PKCS12: "p12", JKS: "jks" };

export function certificatePanel(context) {
  const attributes = context.client.attributes || {};
  const kept = attributes[`${ATTRIBUTE}.certificate`] || attributes[`${ATTRIBUTE}.public.key`];
  const isUsed = keySource(attributes) === "certificate";
  const described = isUsed && Array.isArray(context.keys) ? context.keys.find((key) => key.certificate)?.certificate : null;
  const what = attributes[`${ATTRIBUTE}.certificate`] ? "certificate" : "public key";
  return h(
    "div",
    { class: "pile" },
    kept
      ? h(
          "div",
          { class: "field" },
          h("span", { class: "label" }, isUsed ? `The ${what} in use` : `A ${what} is stored, but not in use`),
          described && certificateFacts(described),
          h(
            "div",
            { class: "row" },
            copyButton(pemOf(kept, what), what),
            button(`Download the ${what}`, () => saveAsPem(context, kept, what), { glyph: "download" }),
          ),
        )
      : empty(
          "key",
          "No certificate yet",
          "Generate a key pair and download it, or import the client's existing certificate.",
        ),
    h(
      "div",
      { class: "row" },
      button("Generate new keys", () => generate(context), {
        kind: kept ? "" : "primary",
        glyph: "download",
        "data-when-saved": true,
      }),
      button("Import", () => importKeys(context), { glyph: "upload", "data-when-saved": true }),
    ),
    saveFirst(),
  );
}

const certificateFacts = ({ subject, issuer, serial, not_before: from, not_after: to, sha256 }) =>
  facts(
    ["Subject", h("code", {}, subject || "Empty")],
    ["Issuer", issuer === subject ? "Itself (self-signed)" : h("code", {}, issuer)],
    ["Serial number", h("code", {}, serial)],
    ["Valid from", exact(from)],
    ["Valid until", exact(to), " ", h("span", { class: "quiet" }, distance(to))],
    ["SHA-256 fingerprint", h("code", {}, sha256)],
  );

/** The PEM (RFC 7468) of what is stored as base64, or as PEM. */
function pemOf(kept, what) {
  const label = what === "certificate" ? "CERTIFICATE" : "PUBLIC KEY";
  const base64 = kept.replace(/-----[^-]+-----/g, "").replace(/\s+/g, "");
  return `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g)?.join("\n") || ""}\n-----END ${label}-----\n`;
}

const saveAsPem = ({ client }, kept, what) =>
  save(new Blob([pemOf(kept, what)], { type: "application/x-pem-file" }), `${fileName(client.clientId)}.pem`);

/** A client ID without what file names cannot have. */
const fileName = (text) => text.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 100) || "client";

/** The effect on the current keys, for the dialogs. */
function breaking({ client }) {
  const present = keySource(client.attributes);
  if (present === null) return null;
  const source = {
    jwks_url: "The keys at its JWKS URL",
    jwks: "The keys of its inline JWKS",
    certificate: "Its current key",
  }[present];
  return notice(
    "warning",
    h(
      "p",
      {},
      `${source} ${present === "certificate" ? "is" : "are"} rejected by every node as soon as this is done.`,
    ),
  );
}

/** The new keys replace a JWKS URL in the same change. */
const callPath = ({ path, client }, name) =>
  `${path}/certificates/${ATTRIBUTE}/${name}${keySource(client.attributes) === "jwks_url" ? "?replaceJwksUrl=true" : ""}`;

function generate(context) {
  const { client, reload } = context;
  openDialog("Generate new keys", (close) => {
    const kind = select(KEY_TYPES, "P-256");
    const format = select(ARCHIVES, "PKCS12");
    const alias = input(client.clientId, { required: true, maxlength: 255 });
    const years = input("3", { type: "number", min: 1, max: 100, required: true });
    const keyPassword = input("", { type: "password", required: true, autocomplete: "new-password" });
    const storePassword = input("", { type: "password", required: true, autocomplete: "new-password" });
    const realm = checkbox("Add the realm's certificate", false);
    // Programs read PKCS#12 with one password for all of it.
    const hasKeyPassword = () => format.value === "JKS";
    const ofKey = field("Key Password", keyPassword);
    const adapt = () => {
      ofKey.hidden = !hasKeyPassword();
      keyPassword.required = hasKeyPassword();
    };
    format.addEventListener("change", adapt);
    adapt();

    async function action() {
      const json = {
        keyType: kind.value,
        format: format.value,
        keyAlias: alias.value,
        validity: Number(years.value),
        keyPassword: hasKeyPassword() ? keyPassword.value : storePassword.value,
        storePassword: storePassword.value,
        realmCertificate: realm.box.checked,
      };
      const headers = { Accept: "application/octet-stream" };
      const path = callPath(context, "generate-and-download");
      // The file comes at once: it is the only place where the private key is.
      const { body, sequence } = await change("POST", path, { json, headers, wait: 0 });
      close();
      save(body, `keystore.${SUFFIXES[format.value]}`);
      const said = `New key in use for ${authenticator(client.clientAuthenticatorType).label}. Keep the file.`;
      await Promise.all([reload(), reportWhenSettled(said, context.realm, sequence)]);
    }
    return form(
      { label: "Generate and download", action, others: button("Cancel", close) },
      h(
        "p",
        { class: "note" },
        "The private key is only in the download. If the file is lost, generate a new key.",
      ),
      h(
        "div",
        { class: "columns" },
        field("Key", kind),
        field("Archive Format", format),
        field("Key Alias", alias),
        field("Valid for, years", years),
        field("Store Password", storePassword),
        ofKey,
      ),
      realm.line,
      breaking(context),
    );
  });
}

function importKeys(context) {
  const { client, reload } = context;
  openDialog("Import keys", (close) => {
    const format = select(IMPORTS, "Certificate PEM");
    const file = h("input", { type: "file", required: true });
    const alias = input(client.clientId);
    const keyPassword = input("", { type: "password" });
    const storePassword = input("", { type: "password" });
    const archive = h(
      "div",
      { class: "columns" },
      field("Key Alias", alias),
      field("Key Password", keyPassword, "Only if it differs from the store password."),
      field("Store Password", storePassword),
    );
    const isArchive = () => format.value in SUFFIXES;
    format.addEventListener("change", () => (archive.hidden = !isArchive()));
    archive.hidden = true;

    async function action() {
      const data = new FormData();
      data.set("keystoreFormat", format.value);
      data.set("file", file.files[0]);
      if (isArchive()) {
        data.set("keyAlias", alias.value);
        data.set("keyPassword", keyPassword.value);
        data.set("storePassword", storePassword.value);
      }
      const { fleet } = await change("POST", callPath(context, "upload-certificate"), { form: data });
      close();
      await reportChange("Imported.", fleet, reload);
    }
    return form(
      { label: "Import", action, others: button("Cancel", close) },
      h(
        "p",
        { class: "note" },
        "Only public keys are imported: a private key in the file is never stored.",
      ),
      h("div", { class: "columns" }, field("Archive Format", format), field("File", file)),
      archive,
      breaking(context),
    );
  });
}
