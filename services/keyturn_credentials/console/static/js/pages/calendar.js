// Upcoming events by day: a table of five weeks if there is room, else a list.
import { h } from "../dom.js";
import { empty } from "../parts/feedback.js";
import { link, pagePath } from "../router.js";
import { exact } from "../time.js";

const WEEKS = 5;
const A_DAY = 3;
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const long = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const withMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

const dayOf = (date) => `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;

const KINDS = {
  due: "Rotation begins",
  expires: "Secret expires, client locked out",
  former: "Former secret ends",
  signing: "Signing key of the realm",
};

/** `entries` in order of time: `{at, kind, name, client_uuid}`, where the last is null for the realm itself. */
export function calendar(realm, entries) {
  const today = new Date();
  const monday = new Date(
    today.getFullYear(),
    today.getMonth(),
    today.getDate() - ((today.getDay() + 6) % 7),
  );
  const days = Array.from(
    { length: WEEKS * 7 },
    (_, index) => new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + index),
  );
  const byDay = new Map(days.map((day) => [dayOf(day), { day, entries: [] }]));
  for (const entry of entries) byDay.get(dayOf(new Date(entry.at * 1000)))?.entries.push(entry);
  const filled = [...byDay.values()].filter((day) => day.entries.length);
  const after = entries.filter((entry) => entry.at * 1000 >= days.at(-1).getTime() + 86_400_000);
  return [
    legend(),
    grid(realm, [...byDay.values()], today),
    h(
      "div",
      { class: "agenda" },
      filled.length
        ? filled.map((day) => agendaDay(realm, day))
        : empty("calendar", "Nothing in these weeks", "No secret expires and no key rotates."),
    ),
    after.length > 0 &&
      h(
        "p",
        { class: "note" },
        `After that: ${after.length} more, the next on ${exact(after[0].at)} (${after[0].name}: ${KINDS[after[0].kind].toLowerCase()}).`,
      ),
  ];
}

const legend = () =>
  h(
    "ul",
    { class: "legend" },
    Object.entries(KINDS).map(([kind, text]) => h("li", {}, h("span", { class: `mark ${kind}` }), text)),
  );

const line = (realm, entry) => {
  const what = h("span", { class: "visually-hidden" }, ` ${KINDS[entry.kind]}`);
  const content = [h("span", { class: `mark ${entry.kind}` }), h("span", {}, entry.name, what)];
  const properties = { class: "coming", title: `${entry.name}: ${KINDS[entry.kind]}, ${exact(entry.at)}` };
  if (!entry.client_uuid) return h("span", properties, content);
  return link(pagePath(realm, "clients", entry.client_uuid, "credentials"), content, properties);
};

function grid(realm, days, today) {
  const weeks = Array.from({ length: WEEKS }, (_, week) => days.slice(week * 7, week * 7 + 7));
  const cell = ({ day, entries }) => {
    const isPast = day < new Date(today.getFullYear(), today.getMonth(), today.getDate());
    const isToday = dayOf(day) === dayOf(today);
    const name = day.getDate() === 1 || isToday ? withMonth.format(day) : String(day.getDate());
    return h(
      "td",
      { class: isPast ? "past" : isToday ? "today" : null },
      h(
        "time",
        { datetime: dayOf(day), class: "number" },
        name,
        isToday && h("span", { class: "visually-hidden" }, " (today)"),
      ),
      entries.slice(0, A_DAY).map((entry) => line(realm, entry)),
      entries.length > A_DAY && h("small", { class: "quiet" }, `and ${entries.length - A_DAY} more`),
    );
  };
  return h(
    "table",
    { class: "calendar" },
    h("caption", { class: "visually-hidden" }, "Upcoming in the next five weeks"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        DAYS.map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      {},
      weeks.map((week) => h("tr", {}, week.map(cell))),
    ),
  );
}

const agendaDay = (realm, { day, entries }) =>
  h(
    "div",
    {},
    h("h3", {}, long.format(day)),
    h(
      "ul",
      {},
      entries.map((entry) => h("li", {}, line(realm, entry))),
    ),
  );
