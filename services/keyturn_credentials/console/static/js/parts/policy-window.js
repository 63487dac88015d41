// The hours in which rotations may begin: "mon-fri 01:00-05:00 Europe/Berlin" as days, times and a time zone.
import { freshId, h } from "../dom.js";
import { field, input, select, setProblem } from "./controls.js";

const DAYS = [
  ["mon", "Monday"],
  ["tue", "Tuesday"],
  ["wed", "Wednesday"],
  ["thu", "Thursday"],
  ["fri", "Friday"],
  ["sat", "Saturday"],
  ["sun", "Sunday"],
];
const FORM = /^(?:([a-z]{3})(?:-([a-z]{3}))? )?(\d\d:\d\d)-(\d\d:\d\d)(?: ([A-Za-z0-9_+/-]+))?$/i;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;

export function windowField(stored, inherited) {
  const [, day = "", lastDay = "", from = "", to = "", zone = ""] = FORM.exec(stored.trim()) || [];
  const days = (any, chosen) => select([["", any], ...DAYS], chosen.toLowerCase());
  const first = days("Every day", day);
  const last = days("Only that day", lastDay);
  const clock = (value) => input(value, { placeholder: "hh:mm", maxlength: 5, inputmode: "numeric" });
  const begins = clock(from);
  const ends = clock(to);
  const list = h("datalist", { id: freshId() });
  const place = input(zone, { placeholder: "UTC", list: list.id, onfocus: () => offer(list) });
  const controls = [first, last, begins, ends, place];
  const general = inherited ? ` As the realm if empty: ${inherited}.` : "";
  const help = `Rotations begin only in these hours, which may end on the next day. Empty: at any hour.${general}`;
  const helpId = freshId();
  const written = controls.map(({ value }) => value).join();

  const element = h(
    "fieldset",
    { "aria-describedby": helpId },
    h("legend", {}, "Window"),
    h("p", { class: "help", id: helpId }, help),
    h(
      "div",
      { class: "columns narrow" },
      field("First day", first),
      field("Last day", last),
      field("From", begins),
      field("To", ends),
      field("Time zone", place),
    ),
    list,
  );

  function value() {
    if (controls.map(({ value: each }) => each).join() === written) return stored.trim();
    if (!begins.value.trim() && !ends.value.trim()) return "";
    const range = first.value && `${first.value}${last.value && `-${last.value}`} `;
    return `${range}${begins.value.trim()}-${ends.value.trim()}${place.value.trim() && ` ${place.value.trim()}`}`;
  }

  /** What is wrong, and with which control. */
  function find() {
    const isSet = controls.some((control) => control.value.trim());
    for (const [control, other] of [[begins, "the window begins"], [ends, "the window ends"]]) {
      if (isSet && !TIME.test(control.value.trim()))
        return { control, text: `Enter when ${other}, such as ${control === begins ? "01:00" : "05:00"}.` };
    }
    if (last.value && !first.value) return { control: first, text: "Choose the first day too." };
    return null;
  }

  let wrong = null;
  return {
    element,
    value,
    problem: () => find()?.text || null,
    say: (problem) => {
      for (const control of controls) setProblem(control, null);
      // What only the server finds is the time zone.
      wrong = problem && (find()?.control || place);
      if (wrong) setProblem(wrong, problem);
    },
    focus: () => wrong?.focus(),
  };
}

/** The time zones that the browser knows, once somebody is about to choose one. */
function offer(list) {
  if (list.childElementCount) return;
  list.append(...Intl.supportedValuesOf("timeZone").map((name) => h("option", { value: name })));
}
