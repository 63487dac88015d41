// The certificate that the client presents in TLS (RFC 8705).
import { h } from "../../dom.js";
import { card, input } from "../../parts/controls.js";
import { checkEntry, entry } from "../../parts/edits.js";
import { notice } from "../../parts/feedback.js";

const PATTERN = "attributes.x509.allow.regex.pattern.comparison";
const OWN = "attributes.x509.self.signed";
const ISSUER = "attributes.x509.casubjectdn";

/** The names by which a certificate is recognised: exactly one of them is set, or none if its key is. */
export const NAMES = [
  ["x509.subjectdn", "Subject DN", "CN=billing,O=Example"],
  ["x509.san.dns", "DNS name", "billing.example"],
  ["x509.san.uri", "URI", "spiffe://example/billing"],
  ["x509.san.ip", "IP address", "192.0.2.1"],
  ["x509.san.email", "Email", "billing@example"],
];

/** What a client is recognised by, in a word or two; null if it is not set up. */
export function recognisedBy(attributes = {}) {
  if ((attributes["x509.self.signed"] || "").toLowerCase() === "true") return "Its own key";
  const [, label] = NAMES.find(([name]) => attributes[name]?.trim()) || [];
  return label || null;
}

/** `shown` is told whether the certificate's key is checked, so that the client's keys appear at once. */
export function x509Part({ client, methods }, shown) {
  const attributes = client.attributes || {};
  const names = NAMES.map(([name, label, placeholder]) =>
    entry(`attributes.${name}`, label, input(attributes[name] || "", { placeholder })),
  );
  const issuer = entry(
    ISSUER,
    "Issuer's subject DN",
    input(attributes["x509.casubjectdn"] || "", { placeholder: "CN=Example CA" }),
    "Optional. The authority must be trusted by the nodes in any case.",
  );
  const pattern = checkEntry(
    PATTERN,
    "The subject DN is a regular expression",
    attributes["x509.allow.regex.pattern.comparison"] === "true",
    null,
    ["true", "false"],
  );
  const own = checkEntry(
    OWN,
    "Self-signed",
    attributes["x509.self.signed"] === "true",
    "Accept a certificate from any issuer: its key must be one of the client's keys, below. Leave the names empty then.",
    ["true", "false"],
  );
  own.element.addEventListener("change", () => shown(own.value()));
  const entries = [...names, issuer, pattern, own];
  return {
    element: card(
      "X.509 certificate",
      { note: "How the client's TLS certificate is recognised (RFC 8705): by exactly one name, or by its key." },
      unchecked(methods, attributes),
      h("div", { class: "stack" }, entries.map(({ element }) => element)),
    ),
    entries: () => entries,
    isOwnKey: () => own.value(),
  };
}

/** Say that no node can check such a certificate. `methods`: those of the nodes' discovery document; null: unknown. */
function unchecked(methods, attributes) {
  if (methods === null) return notice("warning", h("p", {}, "The nodes do not say now whether they can check certificates."));
  const needed = attributes["x509.self.signed"] === "true" ? "self_signed_tls_client_auth" : "tls_client_auth";
  if (methods.includes(needed)) return null;
  return notice(
    "warning",
    h("p", {}, "The nodes here do not check certificates in this way: this client gets no tokens."),
    h("p", {}, needed === "tls_client_auth" ? NO_AUTHORITY : NO_CERTIFICATES),
  );
}

const NO_AUTHORITY =
  "They need client certificates, from TLS or from a proxy, and the authorities that they trust. Whoever runs the nodes sets this.";
const NO_CERTIFICATES = "They need client certificates, from TLS or from a proxy. Whoever runs the nodes sets this.";
