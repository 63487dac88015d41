// Entry: restore the session, then show the page that the address names.
import { onSessionLost, resumeSession } from "./api.js";
import { fill, h } from "./dom.js";
import { showSignIn } from "./pages/signin.js";
import { start } from "./shell.js";

const app = document.getElementById("app");

async function enter() {
  try {
    const session = await resumeSession();
    if (session) start(app, session);
    else showSignIn(app, (entered) => start(app, entered));
  } catch (error) {
    fill(
      app,
      h("main", { class: "signin", id: "main" }, h("h1", {}, "keyturn"), h("p", { role: "alert" }, error.message), h("button", { class: "button primary", type: "button", onclick: enter }, "Try again")),
    );
  }
}

onSessionLost(() => showSignIn(app, (entered) => start(app, entered), "Your session ended. Sign in again."));
enter();
