// How a client proves itself at the token endpoint, as far as a program that it is written into has to know.
import { authenticator } from "../authenticators.js";

const METHOD = "client.secret.authentication.allowed.method";
const ALGORITHM = "token.endpoint.auth.signing.alg";
const PATTERN = "keyturn.federated.subject-pattern";
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export const SECRET = "CLIENT_SECRET";
export const KEY = "CLIENT_KEY";
export const CERTIFICATE = "CLIENT_CERTIFICATE";
export const TOKEN_FILE = "/var/run/secrets/tokens/keyturn";

const KINDS = {
  basic: {
    hasSecret: true,
    needs: `The program takes the secret from the environment variable ${SECRET}, and sends it in the Authorization header.`,
  },
  post: {
    hasSecret: true,
    needs: `The program takes the secret from the environment variable ${SECRET}, and sends it in the body.`,
  },
  hmac: {
    hasSecret: true,
    needs: `The program takes the secret from the environment variable ${SECRET}, and signs a JWT with it. The secret is not sent.`,
  },
  key: {
    hasSecret: false,
    needs: `The program signs a JWT with its private key. The environment variable ${KEY} names the PEM file with the key (PKCS#8).`,
  },
  certificate: {
    hasSecret: false,
    needs: `The program presents its certificate in TLS. The environment variables ${CERTIFICATE} and ${KEY} name the PEM files with the certificate and its key.`,
  },
  issued: {
    hasSecret: false,
    needs: `The platform gives the program a token, here in the file ${TOKEN_FILE}. The program sends it on.`,
  },
};

/** `{id, hasSecret, needs, algorithm, sendsId}` of a client. */
export function kindOf({ clientAuthenticatorType, attributes = {} }) {
  const { credential, algorithms } = authenticator(clientAuthenticatorType);
  const id = idOf(credential, algorithms, attributes[METHOD]);
  const named = algorithms.includes(attributes[ALGORITHM]) ? attributes[ALGORITHM] : null;
  return {
    id,
    ...KINDS[id],
    algorithm: named || (id === "hmac" ? "HS256" : "ES256"),
    // An exact subject leads to its client.
    sendsId: id !== "issued" || Boolean(attributes[PATTERN]),
  };
}

function idOf(credential, algorithms, method) {
  if (credential === "secret" && algorithms.length) return "hmac";
  if (credential === "secret") return method === "client_secret_post" ? "post" : "basic";
  return { keys: "key", certificate: "certificate", issuer: "issued" }[credential] || "basic";
}

/**
 * The parameters of the request, as pairs of name and expression. `text`: makes an expression of a text; `secret` and
 * `assertion` are expressions.
 */
export function parameters({ kind, clientId, text, secret, assertion }) {
  const form = [["grant_type", text("client_credentials")]];
  if (kind.id === "basic") return form;
  if (kind.sendsId) form.push(["client_id", text(clientId)]);
  if (kind.id === "post") form.push(["client_secret", secret]);
  if (["hmac", "key", "issued"].includes(kind.id))
    form.push(["client_assertion_type", text(ASSERTION_TYPE)], ["client_assertion", assertion]);
  return form;
}

/** A text as a literal of a language whose strings are written like JSON's. */
export const quoted = (text) => JSON.stringify(text);

/** Lines without those that are false or null. */
export const linesOf = (...lines) =>
  lines
    .flat(Infinity)
    .filter((line) => line !== null && line !== false && line !== undefined)
    .join("\n");
