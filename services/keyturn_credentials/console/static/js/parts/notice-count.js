// The number of open notices, beside the name of their page in the navigation.
import { ApiError, get, realmPath } from "../api.js";
import { h } from "../dom.js";

const AGAIN_MS = 30_000;
const MOST = 100;
const FORBIDDEN = 403;

/** How many there are, for people: "7", "99+". */
const inFigures = (count) => (count < MOST ? String(count) : `${MOST - 1}+`);

/**
 * The count of a realm's open notices. `place`: for the navigation. It is read again every half a minute while the page
 * is visible; `stop` ends that. Changes are told to assistive technology when it has nothing else to say.
 */
export function noticeCount(realm) {
  const figure = h("span", { class: "count", "aria-hidden": "true", hidden: true });
  const status = h("span", { role: "status", class: "visually-hidden" });
  // While the sign-in is shown instead of the navigation, there is no session to ask with.
  const timer = setInterval(() => document.hidden || !figure.isConnected || update(), AGAIN_MS);

  async function update() {
    try {
      show((await get(`${realmPath(realm)}/notices?max=${MOST}`)).length);
    } catch (error) {
      // Who may not see them is not asked about again; after any other failure, the last count stays.
      if (error instanceof ApiError && error.status === FORBIDDEN) clearInterval(timer);
    }
  }

  function show(count) {
    const text = count ? `${inFigures(count)} open notice${count === 1 ? "" : "s"}` : "";
    figure.hidden = !count;
    figure.textContent = count ? inFigures(count) : "";
    if (status.textContent !== text) status.textContent = text;
  }

  update();
  return { place: [figure, status], stop: () => clearInterval(timer) };
}
