const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  audit: "M5 3h7l3 3v11H5zM8 9h4M8 12h4",
  calendar: "M4 5h12v11H4zM4 8.500h12M7 3v3M13 3v3",
  check: "M4 10.500l4 4 8-9",
  clients: "M4 4.500h12v4.500H4zM4 11h12v4.500H4zM7 6.750h.01M7 13.250h.01",
  close: "M5 5l10 10M15 5L5 15",
  copy: "M7 7h9v9H7zM4 13V4h9",
  down: "M5.500 8l4.500 4.500L14.500 8",
  download: "M10 3v9M6.500 9l3.500 3.500L13.500 9M4 16h12",
  events: "M3 10h3l2-5 4 10 2-5h3",
  eye: "M2.500 10S5 5 10 5s7.500 5 7.500 5S15 15 10 15 2.500 10 2.500 10zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  fleet: "M10 3v4M10 7L4.500 12M10 7l5.500 5M10 7v5M3 14h3v3H3zM8.500 14h3v3h-3zM14 14h3v3h-3z",
  globe:
    "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM3 10h14M10 3c2 2 3 4.500 3 7s-1 5-3 7c-2-2-3-4.500-3-7s1-5 3-7z",
  key: "M7 7a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM10.500 10.500H18M15 10.500V13M18 10.500v2",
  out: "M12 4h4v12h-4M3 10h9M9 7l3 3-3 3",
  plus: "M10 4v12M4 10h12",
  realm: "M3 16V7l7-4 7 4v9M7 16v-5h6v5",
  rotations:
    "M15.500 8A6 6 0 0 0 5 6.500L3.500 8M3.500 4v4h4M4.500 12A6 6 0 0 0 15 13.500l1.500-1.500M16.500 16v-4h-4",
  scopes: "M4 6h9M4 10h12M4 14h6M15 4.500v3M12 12.500v3",
  search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM13 13l4 4",
  upload: "M10 13V4M6.500 7.500L10 4l3.500 3.500M4 16h12",
  warning: "M10 3l8 14H2zM10 8v4M10 14.500h.01",
};

/** A small line icon, hidden from assistive technology: the text next to it says the same. */
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
