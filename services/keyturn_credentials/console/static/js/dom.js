// Building elements. Text is always text: nothing here, or anywhere in the console, parses markup.

/** Make an element. `on…` properties are listeners, `class`, `for` and `data-*`/`aria-*` are attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A small line icon, hidden from assistive technology: the text beside it says the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

const PATHS = {
  clients: "M4 5h12v4H4zM4 11h12v4H4zM7 7h.01M7 13h.01",
  fleet: "M10 3v4M10 7L4.500 12M10 7l5.500 5M10 7v5M3 14h3v3H3zM8.500 14h3v3h-3zM14 14h3v3h-3z",
  rotations: "M15.500 8A6 6 0 0 0 5 6.500L3.500 8M3.500 4v4h4M4.500 12A6 6 0 0 0 15 13.500l1.500-1.500M16.500 16v-4h-4",
  events: "M3 10h3l2-5 4 10 2-5h3",
  audit: "M5 3h7l3 3v11H5zM8 9h4M8 12h4",
  globe: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM3 10h14M10 3c2 2 3 4.500 3 7s-1 5-3 7c-2-2-3-4.500-3-7s1-5 3-7z",
  realm: "M3 16V7l7-4 7 4v9M7 16v-5h6v5",
  copy: "M7 7h9v9H7zM4 13V4h9",
  eye: "M2.500 10S5 5 10 5s7.500 5 7.500 5S15 15 10 15 2.500 10 2.500 10zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  plus: "M10 4v12M4 10h12",
  key: "M7 7a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM10.500 10.500H18M15 10.500V13M18 10.500v2",
  warning: "M10 3l8 14H2zM10 8v4M10 14.500h.01",
  check: "M4 10.500l4 4 8-9",
  out: "M12 4h4v12h-4M3 10h9M9 7l3 3-3 3",
  search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM13 13l4 4",
};

/** Replace all that an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return element;
}

let unique = 0;

/** An id for one label and its control. */
export function freshId() {
  unique += 1;
  return `f${unique}`;
}
