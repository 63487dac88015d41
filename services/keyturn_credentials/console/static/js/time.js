// Times for people. All times of the API are seconds since 1970.
import { h } from "./dom.js";

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86400;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const exactly = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const shortly = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** @type {[string, number][]} */
const UNITS = [
  ["year", 365.25 * DAY],
  ["month", 30.4 * DAY],
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
];

export const now = () => Date.now() / 1000;

/** "in 3 days", "2 minutes ago" */
export function distance(seconds) {
  const away = seconds - now();
  const [unit, size] = UNITS.find(([, length]) => Math.abs(away) >= length * 0.98) || ["second", 1];
  if (unit === "second" && Math.abs(away) < 5) return "just now";
  return relative.format(Math.round(away / size), /** @type {Intl.RelativeTimeFormatUnit} */ (unit));
}

/** Format a duration: "30 days", "1 hour" */
export function duration(seconds) {
  const [unit, size] = UNITS.find(([, length]) => seconds >= length && seconds % length === 0) ||
    UNITS.find(([, length]) => seconds >= length * 2) || ["second", 1];
  const count = Math.round(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

export const exact = (seconds) => exactly.format(new Date(seconds * 1000));

/** A time by its distance, with the exact time as a tooltip; null for none. */
export function moment(seconds) {
  if (!seconds) return null;
  const iso = new Date(seconds * 1000).toISOString();
  return h("time", { datetime: iso, title: exact(seconds), class: "number" }, distance(seconds));
}

/** A time of today without its date, an earlier one with it. */
export function clockTime(seconds) {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  const text = today ? shortly.format(date) : exactly.format(date);
  return h("time", { datetime: date.toISOString(), title: exact(seconds), class: "number" }, text);
}
