// Which client scopes are given: to every token, on request, or not at all. For a realm and for a client.
import { select } from "./controls.js";
import { table } from "./table.js";

const DEFAULT = "default";
const OPTIONAL = "optional";
const NONE = "";
const TYPES = [
  [DEFAULT, "Default"],
  [OPTIONAL, "Optional"],
  [NONE, "None"],
];

/**
 * Entries for `editor`, one for each scope. `lists`: the names in the two lists; `members`: what the lists are called
 * in the representation. They are written together.
 */
export function scopeEntries(scopes, lists, members) {
  const typeOf = (name) =>
    lists.default.includes(name) ? DEFAULT : lists.optional.includes(name) ? OPTIONAL : NONE;
  const known = [...scopes];
  for (const name of [...lists.default, ...lists.optional])
    if (!known.some((scope) => scope.name === name)) known.push({ name, description: "Not a scope of this realm." });
  const entries = known.map((scope) => {
    const control = select(TYPES, typeOf(scope.name), { "aria-label": `Type of ${scope.name}` });
    const first = control.value;
    return {
      scope,
      control,
      name: `client scope ${scope.name}`,
      label: scope.name,
      first,
      stored: first,
      value: () => control.value,
      set: (value) => (control.value = value),
      text: (value) => TYPES.find(([each]) => each === value)?.[1] ?? value,
      members: () => ({ [members.default]: chosen(DEFAULT), [members.optional]: chosen(OPTIONAL) }),
    };
  });
  const chosen = (type) => entries.filter((each) => each.value() === type).map((each) => each.scope.name);
  return entries;
}

/** A table of the entries. `actions(scope)`: the last cell of a row, if any. */
export const scopeTable = (caption, entries, actions = null) =>
  table(
    caption,
    ["Client scope", "Description", "Type", ...(actions ? [""] : [])],
    entries.map((each) => [
      each.scope.name,
      each.scope.description,
      each.control,
      ...(actions ? [actions(each.scope)] : []),
    ]),
  );

export const TYPES_EXPLAINED =
  "Default: every access token has it. Optional: a token has it if the client asks for it with the parameter scope.";
