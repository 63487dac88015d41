// A list that is read page by page, from a cursor on, and again while somebody looks at it.
import { get } from "../api.js";
import { fill, h, refill } from "../dom.js";
import { button, card } from "./controls.js";
import { failure, loading } from "./feedback.js";

const PAGE = 100;

/**
 * `path`: of the list, without a query. `parameter`: of the query, which takes `cursor` of a page's last entry.
 * `rows` draws the entries of a page, `nothing` an empty first page, `noMore` an empty later one. `first` and `next`:
 * labels of the buttons. Returns the list, for the page, and `show`, which reads the page again.
 */
export function pagedList({ path, parameter, cursor, rows, nothing, noMore = nothing, first, next, againMs, onLeave }) {
  const list = h("div", {}, loading());
  const pager = h("div", { class: "pager" });
  let from = null;
  let asked = 0;

  async function show() {
    const mine = ++asked;
    try {
      const query = new URLSearchParams({ max: String(PAGE), ...(from === null ? {} : { [parameter]: from }) });
      const entries = await get(`${path}?${query}`);
      if (mine !== asked) return;
      refill(list, entries.length ? rows(entries) : from === null ? nothing() : noMore());
      refill(
        pager,
        from !== null && button(first, () => goOn(null), { kind: "little" }),
        entries.length === PAGE && button(next, () => goOn(String(cursor(entries.at(-1)))), { kind: "little" }),
      );
    } catch (error) {
      if (mine === asked) fill(list, failure(error));
    }
  }
  const goOn = (cursorOfPage) => {
    from = cursorOfPage;
    return show();
  };
  const timer = setInterval(() => document.hidden || show(), againMs);
  onLeave(() => clearInterval(timer));
  return { list: card(null, {}, list, pager), show };
}
