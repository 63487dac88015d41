// The rotation policy of a realm or a client: edited, checked as a whole, shown with what it would do, then saved.
import { authenticator } from "../authenticators.js";
import { ApiError, change, getVersioned, send } from "../api.js";
import { card, form } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
import { notice, reportChange } from "../parts/feedback.js";
import { fill, h } from "../dom.js";
import { controlsOf, labelOf, meanwhile, restoreControls } from "../parts/edits.js";
import { KEY_PERIOD, PERIOD, policyFields } from "../parts/policy-fields.js";
import { DAYS, MOST, planView } from "../parts/policy-plan.js";

const POINTER = "#/attributes/";

/**
 * `path`: of the realm or client with these attributes. `draft` and `kept`: see `editor`. `client`: its representation, and `inherited` the realm's
 * attributes, if the policy is a client's.
 */
export function policyCard({ base, path, attributes, client = null, inherited = null, reload, draft, kept = null }) {
  const fields = policyFields(attributes, inherited);

  async function plan(values) {
    const json = { attributes: values, ...(client && { client_uuid: client.id }) };
    const response = await send("POST", `${base}/rotations/plan?days=${DAYS}&max=${MOST}`, { json });
    return response.json();
  }

  /** The current version, if the policy is still the one that was shown: rotations change a client all the time. */
  async function versionOfSame(values) {
    const { value, version } = await getVersioned(path);
    const stored = value.attributes || {};
    if (Object.keys(values).some((name) => (stored[name] || "") !== (attributes[name] || "")))
      throw meanwhile(reload);
    return version;
  }

  async function action() {
    let found = fields.problems();
    let planned = [];
    const values = fields.values();
    if (!Object.keys(found).length) {
      try {
        planned = await plan(values);
      } catch (error) {
        if (!(error instanceof ApiError) || !error.errors.length) throw error;
        found = Object.fromEntries(
          error.errors.map(({ pointer, detail }) => [pointer.replace(POINTER, ""), detail]),
        );
      }
    }
    fields.show(found);
    const count = Object.keys(found).length;
    if (count) throw new Error(`Correct the ${count === 1 ? "field that is" : `${count} fields that are`} marked.`);
    const isHarmful = planned.some(({ effect }) => effect === "expires");
    const sure = await confirm({
      title: client ? `Save this policy of ${client.clientId}?` : "Save this policy?",
      consequences: attributes[PERIOD] && !values[PERIOD] && !client ? ENDING : [],
      body: planView(planned),
      action: "Save the policy",
      kind: isHarmful ? "danger" : "primary",
    });
    if (!sure) throw new Error("Nothing was saved.");
    const version = await versionOfSame(values);
    const { fleet } = await change("PUT", path, { json: { attributes: values }, version });
    draft.take = () => null;
    await reportChange("Policy saved.", fleet, reload);
  }

  const discard = () => {
    draft.take = () => null;
    return reload();
  };
  const place = h("div", {});
  const element = form(
    { label: "Check and save", action, unsaved: true, full: true, novalidate: true, discard },
    place,
    fields.elements,
  );
  const shown = controlsOf(element).map((control) => control.value);
  draft.take = () => {
    const edits = controlsOf(element).map((control, index) => ({
      label: labelOf(control),
      base: shown[index],
      mine: control.value,
    }));
    return edits.some(({ base: before, mine }) => mine !== before) ? edits : null;
  };
  if (kept) fill(place, restoreControls(element, kept));

  return card(
    "Policy",
    { note: client ? OF_CLIENT : OF_REALM },
    client && noPolicyNotice(client, attributes, inherited),
    element,
  );
}

/** A notice that no policy rotates what the client authenticates with; null if one does. */
function noPolicyNotice({ clientAuthenticatorType: type }, attributes, inherited) {
  const { credential } = authenticator(type);
  const period = { secret: PERIOD, keys: KEY_PERIOD }[credential];
  const has = !period || attributes[period] || inherited[period];
  return has ? null : notice("", h("p", {}, NO_POLICY[credential]));
}

const OF_REALM =
  "Applies to all clients of this realm without their own policy. A policy that is automatic gives existing secrets an expiry within seconds.";
const OF_CLIENT =
  "What is empty here is as in the realm, except that the lifetime, overlap and remaining rotation period belong together: a client with its own lifetime has the other two of its own as well.";
const NO_POLICY = {
  secret: "Neither this client nor its realm has a policy: the secret never expires, and nothing rotates it.",
  keys: "Neither this client nor its realm has a policy for keys: nothing asks the client for its next one.",
};
const ENDING = [
  "The policy is turned off. Secrets that expire keep their expiry until their client is changed, and nothing rotates them before.",
  "At the next change to a client, its secret never expires again, and a former secret that is still accepted ends.",
];
