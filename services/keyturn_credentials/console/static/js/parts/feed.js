// A growing log: newest first, older entries on demand, new ones as they come.
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { live } from "../live.js";
import { button } from "./controls.js";
import { badge, empty, failure, loading } from "./feedback.js";
import { table } from "./table.js";

const PAGE = 50;
const MOST = 1000;
const TYPING_MS = 250;

/**
 * `path`: of the log, without a query. `number`: the member that orders entries. `filters`: `{name, control, read}` for
 * the query; `read` makes the parameter of what is filled in. `row` makes the cells of an entry. Returns the controls and
 * the list, for the page, and `narrowed`, which returns the address of all entries that the filters let through.
 */
export function feed({ path, number, caption, columns, row, nothing, filters = [], fixed = {}, onLeave }) {
  let entries = [];
  let older = false;
  let head = null;
  let paused = false;
  let asked = 0;
  const list = h("div", {}, loading());
  const state = h("span", { role: "status", class: "row" });
  const more = h("div", { class: "pager" });

  const narrowed = (rest = {}) => {
    const query = new URLSearchParams({ ...fixed, ...rest });
    for (const { name, control, read = (text) => text } of filters) {
      const value = read(control.value.trim());
      if (value) query.set(name, value);
    }
    return `${path}?${query}`;
  };
  const pageOf = (rest = {}) => narrowed({ max: String(PAGE), ...rest });

  function draw() {
    const rows = entries.map(row);
    fill(list, rows.length ? table(caption, columns, rows) : nothing);
    fill(more, older && button("Older entries", () => loadOlder(), { kind: "little" }));
  }

  async function loadAnew() {
    const mine = ++asked;
    try {
      const found = await get(pageOf());
      if (mine !== asked) return;
      entries = found;
      older = found.length === PAGE;
      draw();
    } catch (error) {
      if (mine === asked) fill(list, failure(error));
    }
  }

  async function loadOlder() {
    const found = await get(pageOf({ before: entries.at(-1)[number] }));
    entries = [...entries, ...found];
    older = found.length === PAGE && entries.length < MOST;
    draw();
  }

  async function loadNew() {
    if (!entries.length) return loadAnew();
    const mine = asked;
    const found = await get(pageOf({ after: entries[0][number] }));
    if (mine !== asked || !found.length) return undefined;
    // More than a page came at once: the entries in between are unknown.
    if (found.length === PAGE) return loadAnew();
    const known = new Set(entries.map((entry) => entry[number]));
    entries = [...found.filter((entry) => !known.has(entry[number])), ...entries].slice(0, MOST);
    return draw();
  }

  const pause = h("button", { type: "button", class: "button little", "aria-pressed": "false" }, "Pause");
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Resume" : "Pause";
    fill(state, paused ? badge("Paused") : badge("Live", "good"));
    if (!paused) loadNew().catch(() => {});
  });
  fill(state, badge("Live", "good"));
  const stop = live.listen((fleet) => {
    if (fleet.head === undefined || fleet.head === head) return;
    const isFirst = head === null;
    head = fleet.head;
    // The next change retries after a failure here; the status on every page shows a failing server.
    if (!isFirst && !paused) loadNew().catch(() => {});
  });
  onLeave(stop);
  let timer;
  for (const { control } of filters) {
    control.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(loadAnew, TYPING_MS);
    });
  }
  onLeave(() => clearTimeout(timer));
  return { list: [list, more], controls: h("div", { class: "row" }, state, pause), start: loadAnew, narrowed };
}

export const nothingFound = (glyph, text) => empty(glyph, "Nothing to show", text);
