// Warnings about the client that the user is signed in with: a change to it can end the session.
import { h } from "../dom.js";
import { notice } from "./feedback.js";

/** Whether a client is the one that the user is signed in with. */
export const isOwn = ({ session, realm }, client) =>
  session.realm === realm && session.client_id === client.clientId;

/** For a confirmation: what follows for the user, if the client is their own; else null. */
export const ofOwn = (context, client, what) =>
  isOwn(context, client) ? `This is the client that you are signed in with. ${what}` : null;

export const SIGNED_OUT = "You are signed out, and come back in only with what it has then.";
export const LOCKED_OUT =
  "You are signed out and cannot sign in again with it. Make sure that another administrator can.";

/** A notice for its page, if it is the user's own. */
export const ownNotice = (context, client) =>
  isOwn(context, client) &&
  notice(
    "warning",
    h("p", {}, "You are signed in with this client. What ends its secret, its roles or the client also ends your session."),
  );
