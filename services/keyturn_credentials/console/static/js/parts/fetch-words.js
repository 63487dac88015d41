// Why keys could not be fetched, in words. The server's own words are kept as a tooltip, for whoever looks into it.
import { h } from "../dom.js";

/** Reasons whose details are texts of programs below keyturn. */
const OF_PROGRAMS = {
  resolution_failed: "The host name cannot be resolved.",
  connection_failed: "No connection to the host.",
  proxy_failed: "The proxy did not connect to the host.",
  tls_failed: "TLS failed: the certificate or the protocol of the host is not accepted.",
  protocol_error: "The host does not answer in HTTP.",
  internal_error: "keyturn itself failed. Its log says why.",
  networks_invalid: "The setting of private networks is invalid.",
};

/** The sentence for a reason. `detail`: the server's text. */
export function fetchReason(reason, detail) {
  const known = OF_PROGRAMS[reason];
  if (known) return h("span", { title: detail || null }, known);
  return h("span", {}, h("code", {}, reason), detail && `, ${detail}`);
}
