// The Credentials tab: the client's authenticator and its settings, saved together; and all of its credentials.
import { authenticator } from "../../authenticators.js";
import { get, getIfThere } from "../../api.js";
import { fill, h, refill } from "../../dom.js";
import { card } from "../../parts/controls.js";
import { confirm } from "../../parts/dialog.js";
import { editor } from "../../parts/edits.js";
import { empty } from "../../parts/feedback.js";
import { ownNotice } from "../../parts/own.js";
import { authenticatorPart, switching } from "./authenticator.js";
import { federatedPart } from "./federated.js";
import { keysCard } from "./keys.js";
import { secretCard } from "./secret.js";
import { sourcePart } from "./source.js";
import { x509Part } from "./x509.js";

export async function credentialsTab(context) {
  const { client, body, path, base } = context;
  if (client.publicClient || client.bearerOnly) return fill(body, card(null, {}, withoutCredentials()));
  const hasFormer = (client.attributes || {})["client.secret.rotated.expiration.time"];
  const [keys, rotated, realm, usage, providers, methods] = await Promise.all([
    get(`${path}/keys`).catch((error) => error),
    hasFormer && getIfThere(`${path}/client-secret/rotated`),
    get(base),
    get(`${path}/usage`).catch(() => ({})),
    get(`${base}/identity-provider/instances`),
    certificateMethods(base),
  ]);
  const known = { ...context, keys, rotated, realmAttributes: realm.attributes || {}, usage, providers, methods };
  return refill(body, ...build(known));
}

/** The elements of the tab: a form for all settings, and the credentials, which a choice shows before it is saved. */
function build(known) {
  const { client, keys } = known;
  const settings = h("div", { class: "pile" });
  const credentials = h("div", { class: "pile" });
  const kept = { certificate: null, issuer: null, source: null };
  const makers = {
    certificate: () => x509Part(known, () => show(main.chosen())),
    issuer: () => federatedPart(known),
    source: () => sourcePart(known),
  };
  // A part that was shown before keeps what was filled in.
  const part = (name) => (kept[name] ||= makers[name]());
  let parts = [];
  let isEdited = false;

  function show(type) {
    const { credential } = authenticator(type);
    parts = [];
    if (credential === "certificate" || credential === "issuer") parts.push(part(credential));
    const usesKeys = credential === "keys" || (credential === "certificate" && part("certificate").isOwnKey());
    if (usesKeys) parts.push(part("source"));
    fill(settings, parts.map(({ element }) => element));
    fill(
      credentials,
      credential === "secret" && secretCard(known, type),
      (usesKeys || keys.length > 0) && keysCard(known),
    );
    guard(isEdited);
  }

  /** What replaces credentials waits until everything is saved: it would go by what is saved, not by what is shown. */
  function guard(edited) {
    isEdited = edited;
    for (const place of [settings, credentials]) {
      for (const button of place.querySelectorAll("button[data-when-saved]")) button.disabled = edited;
      for (const note of place.querySelectorAll("[data-when-edited]")) note.hidden = !edited;
    }
  }

  async function before() {
    const type = main.chosen();
    const isSwitch = type !== client.clientAuthenticatorType;
    const replaced = parts.map(({ replacing }) => replacing?.()).find(Boolean);
    if (!isSwitch) return !replaced || confirm(replaced);
    const asked = switching(known, type);
    return confirm({ ...asked, consequences: [...asked.consequences, ...(replaced?.consequences || [])] });
  }

  const main = authenticatorPart(known, show);
  show(main.chosen());
  return [
    ownNotice(known, client),
    editor(
      {
        ...known,
        before,
        entries: () => [...main.entries(), ...parts.flatMap((each) => each.entries())],
        whenEdited: guard,
        look: "pile",
      },
      main.element,
      settings,
    ),
    credentials,
  ];
}

/** The ways in which the nodes check client certificates; null while that is unknown. */
async function certificateMethods(base) {
  const { nodes } = await get(`${base}/fleet`).catch(() => ({ nodes: [] }));
  const known = nodes.map((node) => node.certificate_methods).filter(Boolean);
  return known.length ? known.flat() : null;
}

const withoutCredentials = () =>
  empty(
    "key",
    "No credentials",
    "This client is public or bearer-only: it does not authenticate.",
  );
