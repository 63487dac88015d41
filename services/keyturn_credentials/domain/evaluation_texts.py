"""Meaning of each refusal code that an evaluation can find, and what to do about it. Pure.

docs/refusals.md has the same codes.
"""

from typing import Final, NamedTuple


class RefusalText(NamedTuple):
    """Meaning of a code, and what to do."""

    meaning: str
    advice: str


TEXTS: Final = {
    "unknown_realm": RefusalText(
        "The realm is disabled: nobody in it gets a token.", "Enable the realm if that was unintended."
    ),
    "unknown_client": RefusalText(
        "There is no such client in the realm, or another one has its client ID now.",
        "Check whether the client belongs to another realm, or was deleted and created again.",
    ),
    "client_disabled": RefusalText(
        "The client is disabled, or may no longer get tokens.",
        "Enable the client, or its client credentials grant, if that was unintended.",
    ),
    "authenticator_mismatch": RefusalText(
        "The client authenticates in a way other than it is registered for.",
        "Change the client authenticator here, or the configuration of the client.",
    ),
    "wrong_secret": RefusalText(
        "No secret of the client matches.",
        "After a rotation, the client may still use an older secret. Give it the current one.",
    ),
    "secret_expired": RefusalText(
        "The secret is one of the client's, but it has expired.",
        "Give the client the current secret: the overlap of the former one has ended.",
    ),
    "malformed": RefusalText(
        "It is not a signed JWT of the right kind.",
        "Paste the whole token: three parts separated by dots, with the typ that belongs to it.",
    ),
    "algorithm_not_allowed": RefusalText(
        "The algorithm of the signature is unknown, or not allowed here.",
        "Compare alg in the header with token.endpoint.auth.signing.alg of the client and with its keys.",
    ),
    "unknown_kid": RefusalText(
        "The kid in the header matches no known key.",
        "Check that the key is published or registered, and that kid is its name there.",
    ),
    "key_revoked": RefusalText("The key was revoked.", "The client must use another key."),
    "bad_signature": RefusalText(
        "The signature is invalid.",
        "The token was altered, or signed with a key other than the one that kid names.",
    ),
    "keys_not_tried": RefusalText(
        "None of the first four matching keys verifies the signature.",
        "Give each key a kid of its own, and send it with each token.",
    ),
    "shared_secret_not_held": RefusalText(
        "The secret that signed it is not known here.", "Let the client sign with a key."
    ),
    "wrong_issuer": RefusalText(
        "It was not issued by the one who must have issued it.",
        "iss and sub must be the client ID; with an identity provider, iss must be its issuer.",
    ),
    "issuer_disabled": RefusalText(
        "The identity provider of the assertion is disabled.", "Enable it if that was unintended."
    ),
    "wrong_subject": RefusalText(
        "The subject is not the client's at its identity provider.",
        "Compare sub with jwt.credential.sub or keyturn.federated.subject-pattern of the client.",
    ),
    "subject_revoked": RefusalText(
        "The subject was revoked at its identity provider.", "Use another workload identity."
    ),
    "condition_not_met": RefusalText(
        "A claim that must be there is missing or has another value.",
        "Compare it with keyturn.claims of the identity provider and keyturn.federated.claims of the client.",
    ),
    "wrong_audience": RefusalText(
        "The audience is not the right one, or not the only one.",
        "Set aud to exactly one of the values that are expected.",
    ),
    "expired": RefusalText(
        "It has expired.", "Get or sign a new one. If it was new, the clock of the sender is slow."
    ),
    "not_yet_valid": RefusalText("It is not valid yet.", "Check the clock of the sender: it may be fast."),
    "lifetime_too_long": RefusalText(
        "The assertion is too old, or valid for too long.",
        "Sign a new one for each request, or raise token.endpoint.auth.signing.max.exp of the client.",
    ),
    "missing_claim": RefusalText("A required claim is missing.", "Let the client set this claim."),
    "replayed": RefusalText(
        "The assertion was used before.",
        "Sign a new one for each request, also for a retry. Otherwise, someone else has it.",
    ),
    "token_ended": RefusalText(
        "The token was issued before all earlier tokens of its client or realm were ended.",
        "Get a new token.",
    ),
    "token_revoked": RefusalText("The client has revoked the token.", "Get a new token."),
    "invalid_request": RefusalText("The request is invalid.", "Correct the request."),
    "invalid_scope": RefusalText(
        "The client may not have a scope that it requests, or the token would be too long.",
        "Add the scope to the optional client scopes of the client, or request fewer.",
    ),
    "invalid_target": RefusalText(
        "The client may not have tokens for this audience.", "Add it to keyturn.audiences of the client."
    ),
    "unauthorized_client": RefusalText(
        "The client may not get tokens of this kind.",
        "Allow the client credentials grant; compare access.token.signed.response.alg with the realm's keys.",
    ),
    "redis_unavailable": RefusalText(
        "Redis does not answer or is not trusted yet, so no node can tell whether it was used before.",
        "See Fleet, and docs/operations.md.",
    ),
    "before_replay_barrier": RefusalText(
        "It may have been used before Redis lost its memory.", "Sign a new assertion."
    ),
    "keys_unavailable": RefusalText(
        "The key set cannot be fetched.", "Test the JWKS URL, under Credentials in the console."
    ),
    "unavailable": RefusalText(
        "No decision is possible now.", "Rotate the realm's keys if none is active. Otherwise, try again."
    ),
    "seal_broken": RefusalText(
        "The value was encrypted under a key that this service does not have.",
        "Give the service all of KEYTURN_FLEET_KEYS and KEYTURN_ENCRYPTION_KEYS.",
    ),
}
"""By stable code."""
