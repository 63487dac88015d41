// The rules of a rotation policy as fields: each with what it is called, what it does, and how its value is written.
import { h } from "../dom.js";
import { DAY, HOUR, MINUTE } from "../time.js";
import { field, input, select, setProblem } from "./controls.js";
import { windowField } from "./policy-window.js";

export const PERIOD = "keyturn.secret.expiration-period";
export const OVERLAP = "keyturn.secret.rotated-expiration-period";
export const BEFORE = "keyturn.secret.remaining-rotation-period";
const AUTOMATIC = "keyturn.rotation.automatic";
const WINDOW = "keyturn.rotation.window";
const JITTER = "keyturn.rotation.jitter";
const AT_ONCE = "keyturn.rotation.max-at-once";
const RETIRE = "keyturn.rotation.retire-unused";
const SELF = "keyturn.rotation.self-service";
const DISABLED = "keyturn.rotation.disabled-limit";
export const KEY_PERIOD = "keyturn.key.rotation-period";
const KEY_OVERLAP = "keyturn.key.overlap";
const KEY_REVOKE = "keyturn.key.revoke-former";

/** The three that a client has all of its own, or all of its realm's. */
const LIFETIMES = [PERIOD, OVERLAP, BEFORE];

const NUMBERS = {
  [PERIOD]: {
    label: "Rotate every (days)",
    help: "A new secret is valid for this long, and is replaced before it expires. Without it, secrets never expire and are not rotated.",
    ofClient: "A new secret is valid for this long, and is replaced before it expires. Without it, the realm’s policy applies.",
    unit: DAY,
    most: 36_500,
    none: "Never",
  },
  [OVERLAP]: {
    label: "Overlap (days)",
    help: "How long the former secret stays valid once the client has used the new one.",
    unit: DAY,
    most: 36_500,
    none: "0",
  },
  [BEFORE]: {
    label: "Remaining rotation period (days)",
    help: "The rotation begins this long before the expiry, or earlier if the overlap or a tenth of the lifetime is longer. If Automatic is no, a change to the client within this time gives it a new secret at once.",
    unit: DAY,
    most: 36_500,
    none: "0",
  },
  [JITTER]: {
    label: "Jitter (hours)",
    help: "Each client begins earlier by its own share of this time, so that they do not all begin at once.",
    unit: HOUR,
    most: 87_600,
    none: "0",
  },
  [DISABLED]: {
    label: "Wait for a disabled client (days)",
    help: "A rotation whose client is disabled for longer fails. The client keeps what it has.",
    unit: DAY,
    most: 3650,
    none: "Until it is enabled",
  },
  [KEY_PERIOD]: {
    label: "Ask for a new key every (days)",
    help: "A client that signs with its own key is asked for the next one when it has had its keys for this long. Without it, no policy asks.",
    ofClient: "The client is asked for its next key when it has had its keys for this long.",
    unit: DAY,
    most: 3650,
    none: "Never",
  },
  [KEY_OVERLAP]: {
    label: "Overlap of keys (days)",
    help: "How long the former key stays accepted once the client has used the next one.",
    unit: DAY,
    most: 3650,
    none: "1",
  },
  [AT_ONCE]: {
    label: "At most at once",
    help: "How many rotations the policy may have under way in this realm at the same time.",
    unit: 1,
    most: 100_000,
    none: "Any number",
  },
};
const CHOICES = {
  [AUTOMATIC]: {
    label: "Automatic",
    help: "If not, no rotation begins by itself: a secret that nobody replaces expires, and its client is locked out.",
    standard: "true",
  },
  [RETIRE]: {
    label: "End the former one in any case",
    help: "If so, a former secret or registered key ends after the overlap even if the client has not used the new one. A client that does not have the new one by then is locked out.",
    standard: "false",
  },
  [SELF]: {
    label: "Self-service",
    help: "The client may take its new secret, or register its next key, itself. If not, somebody must do it.",
    standard: "true",
  },
  [KEY_REVOKE]: {
    label: "Revoke a former key that is still published",
    help: "If so, a former key that the client still publishes at its URL after the overlap is refused from then on. If not, an alert says so.",
    standard: "false",
  },
};

const word = (value) => (value === "true" ? "yes" : "no");

/**
 * The fields for attributes. `inherited`: those of the realm, if these are a client's; null for a realm. Returns the
 * elements; `values()`: every attribute of the policy, empty ones included; `problems()`: what is wrong, by attribute;
 * `show(problems)`: say it, and put the focus on the first one.
 */
export function policyFields(attributes, inherited) {
  const numbers = Object.fromEntries(
    Object.entries(NUMBERS)
      .filter(([name]) => name !== AT_ONCE || !inherited)
      .map(([name, rule]) => [name, numberField(name, rule, attributes, inherited)]),
  );
  const choices = Object.fromEntries(
    Object.entries(CHOICES).map(([name, rule]) => [name, choiceField(name, rule, attributes, inherited)]),
  );
  const hours = windowField(attributes[WINDOW] || "", inherited?.[WINDOW]);
  const parts = { ...numbers, ...choices, [WINDOW]: hours };

  // A client with its own lifetime has the other two of its own as well.
  const adapt = () => {
    for (const name of [OVERLAP, BEFORE]) {
      const general = numbers[PERIOD].control.value ? null : inherited;
      numbers[name].control.placeholder = placeholder(name, NUMBERS[name], general);
    }
  };
  if (inherited) numbers[PERIOD].control.addEventListener("input", adapt);
  adapt();

  function problems() {
    const found = {};
    for (const [name, part] of Object.entries(parts)) {
      const problem = part.problem();
      if (problem) found[name] = problem;
    }
    const [lifetime, ...within] = LIFETIMES.map((name) => Number(numbers[name].value() || 0));
    for (const [index, name] of [OVERLAP, BEFORE].entries()) {
      if (found[name] || found[PERIOD] || !within[index]) continue;
      if (!lifetime) found[name] = `Fill in “${NUMBERS[PERIOD].label}” too: without it, this has no effect.`;
      else if (within[index] > lifetime) found[name] = "This cannot be longer than the lifetime of the secret.";
    }
    const [period, overlap] = [KEY_PERIOD, KEY_OVERLAP].map((name) => Number(numbers[name].value() || 0));
    if (!found[KEY_PERIOD] && !found[KEY_OVERLAP] && period && overlap > period)
      found[KEY_OVERLAP] = "This cannot be longer than the time after which a new key is asked for.";
    return found;
  }

  function show(found) {
    for (const [name, part] of Object.entries(parts)) part.say(found[name] || null);
    const first = Object.keys(parts).find((name) => found[name]);
    if (first) parts[first].focus();
  }

  return {
    elements: [
      group("Secrets", columns(LIFETIMES.map((name) => numbers[name]))),
      group("Keys", columns([numbers[KEY_PERIOD], numbers[KEY_OVERLAP], choices[KEY_REVOKE]])),
      group(
        "Both",
        columns([AUTOMATIC, RETIRE, SELF].map((name) => choices[name])),
        hours.element,
        columns([JITTER, AT_ONCE, DISABLED].map((name) => numbers[name])),
      ),
    ],
    values: () => Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.value()])),
    problems,
    show,
  };
}

const columns = (parts) => h("div", { class: "columns" }, parts.map((part) => part?.element));
const group = (name, ...content) => h("div", { class: "pile tight", role: "group", "aria-label": name }, h("h3", {}, name), content);

const DURATION = /^(\d{1,9}(?:\.\d*)?)\s*([smhd]?)$/;
const SECONDS = { s: 1, m: MINUTE, h: HOUR, d: DAY };

/** Seconds as a number of the field's unit, or of a smaller one that is named where that would be a long fraction. */
function inUnits(seconds, unit) {
  const rest = Number(seconds);
  if (unit === 1 || Number.isInteger((rest * 100) / unit)) return String(rest / unit);
  const [name, size] = Object.entries(SECONDS).findLast(([, size]) => rest % size === 0);
  return `${rest / size}${name}`;
}

/** The seconds that a text means: a number of the field's unit, or one with its own, as for `keyturn policy`. */
function secondsOf(text, unit) {
  const [, number, name] = DURATION.exec(text) || [];
  return number === undefined ? NaN : Number(number) * (name ? SECONDS[name] : unit);
}

function placeholder(name, { unit, none }, inherited) {
  if (!inherited) return none;
  const general = inherited[name];
  return `Realm: ${general && Number.isFinite(Number(general)) ? inUnits(general, unit) : none.toLowerCase()}`;
}

function numberField(name, rule, attributes, inherited) {
  const stored = (attributes[name] || "").trim();
  const first = stored && (Number.isFinite(Number(stored)) ? inUnits(stored, rule.unit) : stored);
  const isCount = rule.unit === 1;
  const control = input(first, { inputmode: isCount ? "numeric" : "decimal", placeholder: placeholder(name, rule, inherited) });
  const text = () => control.value.trim().replace(",", ".");
  return {
    control,
    element: field(rule.label, control, (inherited && rule.ofClient) || rule.help),
    // What is not changed is written as it was, not as it is shown.
    value: () => {
      if (control.value === first) return stored;
      return text() && String(Math.round(isCount ? Number(text()) : secondsOf(text(), rule.unit)));
    },
    problem: () => {
      // The server judges what is not changed.
      if (!text() || control.value === first) return null;
      if (isCount) {
        const count = /^\d{1,9}$/.test(text()) ? Number(text()) : NaN;
        return count >= 1 && count <= rule.most ? null : `Enter a whole number from 1 to ${rule.most}, or nothing.`;
      }
      const seconds = secondsOf(text(), rule.unit);
      if (Number.isNaN(seconds)) return "Enter a number, such as 30 or 0.5, or one with a unit, such as 12h, or nothing.";
      if (seconds > rule.most * rule.unit) return `Enter at most ${rule.most}.`;
      if (name === PERIOD && Math.round(seconds) < 1) return "Enter more than 0, or nothing.";
      return null;
    },
    say: (problem) => setProblem(control, problem),
    focus: () => control.focus(),
  };
}

function choiceField(name, { label, help, standard }, attributes, inherited) {
  const stored = (attributes[name] || "").trim().toLowerCase();
  const general = inherited ? `As the realm: ${word((inherited[name] || standard).trim().toLowerCase())}` : `Default: ${word(standard)}`;
  const control = select([["", general], ["true", "Yes"], ["false", "No"]], stored);
  return {
    element: field(label, control, help),
    value: () => control.value,
    problem: () => null,
    say: (problem) => setProblem(control, problem),
    focus: () => control.focus(),
  };
}
