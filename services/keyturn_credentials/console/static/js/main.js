// Entry point: restore the session or use the one-time link, then show the page in the address.
import { onSessionLost, resumeSession, sameUser, signIn, userOf } from "./api.js";
import { fill } from "./dom.js";
import { live } from "./live.js";
import { showSignIn, showTrouble } from "./pages/signin.js";
import { hasUnsaved, here } from "./router.js";
import { start } from "./shell.js";

const TICKET = "#ticket=";
const app = document.getElementById("app");
const enter = (session) => start(app, session, true);

async function begin() {
  const { hash } = location;
  try {
    if (hash.startsWith(TICKET)) {
      // Remove it from the address at once, so that neither the history nor a bookmark keeps it.
      history.replaceState(null, "", location.pathname);
      return await useLink(hash.slice(TICKET.length));
    }
    const session = await resumeSession();
    return session ? start(app, session) : showSignIn(app, enter);
  } catch (error) {
    return fill(app, showTrouble(error, begin));
  }
}

async function useLink(ticket) {
  try {
    return enter(await signIn({ ticket }));
  } catch (error) {
    return showSignIn(app, enter, error.message);
  }
}

onSessionLost((lost) => {
  if (!hasUnsaved()) return showSignIn(app, enter, "Your session has ended. Sign in again to return to this page.", lost);
  // What is not saved is kept out of sight, for the same user.
  const kept = [...app.childNodes];
  const { title } = document;
  const back = (session) => {
    if (!sameUser(session, lost)) return enter(session);
    app.replaceChildren(...kept);
    document.title = title;
    return live.follow(here()[0] || session.realm);
  };
  const text = `Your session has ended. Sign in again as ${userOf(lost)}: what you have not saved is still here.`;
  return showSignIn(app, back, text, lost, true);
});
addEventListener("hashchange", () => location.hash.startsWith(TICKET) && begin());
document.querySelector(".skip").addEventListener("click", (event) => {
  // Not by the address: changing it changes the page.
  event.preventDefault();
  document.getElementById("main").focus();
});
begin();
