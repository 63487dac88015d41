// The certificate that the client presents in TLS (RFC 8705).
import { change } from "../../api.js";
import { card, checkbox, field, form, input } from "../../parts/controls.js";
import { reportChange } from "../../parts/feedback.js";

const NAMES = [
  ["x509.subjectdn", "Subject DN", "CN=billing,O=Example"],
  ["x509.casubjectdn", "Issuer's subject DN", "CN=Example CA"],
  ["x509.san.dns", "DNS name", "billing.example"],
  ["x509.san.uri", "URI", "spiffe://example/billing"],
  ["x509.san.ip", "IP address", "192.0.2.1"],
  ["x509.san.email", "Email", "billing@example"],
];

/** `type` is the authenticator chosen above: it is saved with these settings. */
export function x509Card({ client, version, path, reload }, type) {
  const attributes = client.attributes || {};
  const controls = NAMES.map(([name, label, placeholder]) => [
    name,
    label,
    input(attributes[name] || "", { placeholder }),
  ]);
  const pattern = checkbox(
    "The subject DN is a regular expression",
    attributes["x509.allow.regex.pattern.comparison"] === "true",
  );
  const own = checkbox(
    "Self-signed",
    attributes["x509.self.signed"] === "true",
    "Accept a certificate from any issuer: its key must be one of the client's keys, below.",
  );

  async function action() {
    const values = {
      ...Object.fromEntries(controls.map(([name, , control]) => [name, control.value])),
      "x509.allow.regex.pattern.comparison": String(pattern.box.checked),
      "x509.self.signed": String(own.box.checked),
    };
    const { fleet } = await change("PUT", path, {
      json: { clientAuthenticatorType: type, attributes: values },
      version,
    });
    await reportChange("Saved.", fleet, reload);
  }
  return card(
    "X.509 certificate",
    { note: "What the client's TLS certificate must contain (RFC 8705). Empty fields are not checked." },
    form(
      { label: "Save", action, unsaved: true },
      controls.map(([, label, control]) => field(label, control)),
      pattern.line,
      own.line,
    ),
  );
}
