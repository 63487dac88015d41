import { fill } from "../dom.js";
import { card, head } from "../parts/controls.js";
import { empty } from "../parts/feedback.js";
import { link, pagePath } from "../router.js";

/** The page for an address that has none. */
export function notFound(main, realm) {
  fill(
    main,
    head("Page not found", "The console has no page at this address."),
    card(
      null,
      {},
      empty(
        "search",
        "Nothing here",
        "The address may be mistyped, or of another release.",
        link(pagePath(realm, "clients"), "Show the clients", { class: "button" }),
      ),
    ),
  );
}
