import { h } from "../dom.js";

const dash = () =>
  h(
    "span",
    { class: "none" },
    h("span", { "aria-hidden": "true" }, "–"),
    h("span", { class: "visually-hidden" }, "none"),
  );

const isNothing = (cell) => cell === null || cell === undefined || cell === "";

/** A table whose cells may be elements. On a phone each row becomes a block with the names of its columns. */
export function table(caption, columns, rows) {
  return h(
    "div",
    { class: "table", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "visually-hidden" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((name) =>
            h("th", { scope: "col" }, name || h("span", { class: "visually-hidden" }, "Actions")),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((cells) =>
          h(
            "tr",
            {},
            cells.map((cell, index) =>
              h(
                "td",
                { "data-label": columns[index], class: columns[index] ? null : "tail" },
                isNothing(cell) ? dash() : cell,
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Two lines of one cell. */
export const lines = (first, second) => h("div", {}, h("span", {}, first), second && h("small", {}, second));
