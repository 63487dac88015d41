// Addresses in the console: /console/<realm>/<page>/….
import { h } from "./dom.js";
import { confirm } from "./parts/dialog.js";

/** The address of a page. */
export const pagePath = (realm, ...parts) =>
  ["/console", ...[realm, ...parts].map(encodeURIComponent)].join("/");

/** The parts of the current address: realm, page, and the rest for the page. */
export function here() {
  const parts = location.pathname.split("/").slice(2).filter(Boolean);
  return parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

/** Show another page without reloading the document. Asks for confirmation if something is not saved. */
export async function go(path) {
  if (document.querySelector("main form[data-unsaved]")) {
    const sure = await confirm({
      title: "Leave without saving?",
      consequences: ["Your unsaved changes on this page will be lost."],
      action: "Leave",
    });
    if (!sure) return;
  }
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
  scrollTo(0, 0);
}

/** A link that stays in the console. */
export function link(path, label, properties = {}) {
  const onclick = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(path);
  };
  return h("a", { href: path, onclick, ...properties }, label);
}
