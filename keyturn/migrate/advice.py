"""Advice on the notes of an import: what an administrator does about each. Pure."""

import re
from collections.abc import Iterable
from typing import Final

_ADVICE: Final = tuple(
    (re.compile(pattern), advice)
    for pattern, advice in (
        (r"a client that Keycloak creates for itself", "nothing: keyturn needs no such client"),
        (
            r"a client with this id already exists",
            "nothing if it is the same client; --if-exists OVERWRITE replaces it",
        ),
        (
            r"the secret is not in the export.*a new one was generated",
            "read the secret with an administrator who may manage clients, or give the client's owner the new"
            " one (GET …/client-secret)",
        ),
        (
            r"the secret is not in the export.*it stays as it was",
            "nothing if both sides have the same secret; compare tells",
        ),
        (
            r"its clientId is a placeholder|.*placeholder that was not replaced",
            "replace the placeholders in the file, as its deployment does, and plan again",
        ),
        (r"protocol \S+ is not served", "keep this client on a server for that protocol"),
        (
            r"authenticator \S+ is not known",
            "choose another client authenticator in Keycloak, or keep the client there",
        ),
        (r"\S+ without keys", "set a certificate, a key set or a JWKS URL before the client moves"),
        (
            r"its JWKS URL is in a private network",
            "set keyturn.jwks.allowed-networks of the realm, or KEYTURN_JWKS_ALLOWED_NETWORKS",
        ),
        (r"jwks\.string: ", "replace that key if the client signs with it"),
        (r"notBefore: ", "nothing: it is in force, as in Keycloak"),
        (
            r"it has a new id: ",
            "change programs that name the id; those that use the client id need nothing",
        ),
        (
            r"its service account does not have the id",
            "change resource servers that know its client by the id, which is sub in its tokens",
        ),
        (
            r"its service account is disabled",
            "nothing: it gets no tokens, as in Keycloak; enable service accounts of the client when it may",
        ),
        (
            r"its service account is in groups",
            "give the service account those roles itself, in Keycloak or after the move",
        ),
        (r"it already exists: its settings", "compare the realms' settings, or use --if-exists OVERWRITE"),
        (r"the client is public or bearer-only", "nothing: it has no credential to move"),
        (r"attribute \S+ is a private key", "nothing: the client keeps its own key"),
        (
            r"(client scope .*: )?protocol mapper .*must not set the claim",
            "choose another claim, and let the resource servers read that one",
        ),
        (
            r"(client scope .*: )?(protocol mapper |and \d+ more notes on protocolMappers)",
            "check whether a resource server reads its claim; set the claim with a mapper of another type",
        ),
        (
            r"client(Policies|Profiles) is left out",
            "set the rotation of secrets with keyturn.secret.* attributes of the realm",
        ),
        (r"sslRequired is left out", "have the gateway redirect or refuse plain HTTP"),
        (r"redirectUris: ", "nothing for a service account"),
        (
            r"\S+ is \S+ seconds: \S+, which is the most, applies|\S+ is left out: .*lifespan applies",
            "check that the client asks for new tokens in time",
        ),
        (r"use\.jwks\.string is left out", "nothing if the client's keys are at its JWKS URL"),
        (
            r"left out: .*access\.token\.signed\.response\.alg",
            "check that its resource servers accept the realm's algorithm",
        ),
        (r"defaultSignatureAlgorithm .* is left out", "choose one of the realm's algorithms"),
        (r"\S+ is not known", "nothing, unless it is misspelt: keyturn has no such setting"),
        (
            r"(attribute )?\S+ is left out: ",
            "check that no program depends on it; the reason names what to use instead",
        ),
        (
            r"\d+ of keyturnRevokedKeys",
            "nothing: no key has such a thumbprint",
        ),
    )
)
UNKNOWN: Final = "correct it in Keycloak or in the file, and plan again"


def advice_on(note: str) -> str:
    """Return what to do about a note or the reason for a refusal."""
    return next((advice for pattern, advice in _ADVICE if pattern.match(note)), UNKNOWN)


def with_advice(notes: Iterable[str]) -> list[dict[str, str]]:
    """Describe notes with what to do about each."""
    return [{"reason": note, "toDo": advice_on(note)} for note in notes]
