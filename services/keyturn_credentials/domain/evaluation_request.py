"""Requests for an evaluation, read from JSON. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn_credentials.domain.secrets import MAX_SECRET_CHARACTERS
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.algorithms import SYMMETRIC_NAMES
from keyturn_shared.jose.compact import MAX_TOKEN_BYTES, parse_compact
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.oauth.client_authentication.credentials import ASSERTION_TYPE, SPIFFE_ASSERTION_TYPE
from keyturn_shared.secret import Secret

MAX_TARGETS: Final = 32
MAX_SCOPE_CHARACTERS: Final = 4096
MAX_TARGET_CHARACTERS: Final = 2048
SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")
_TEXTS: Final = {
    "scope": MAX_SCOPE_CHARACTERS,
    "client_secret": MAX_SECRET_CHARACTERS,
    "client_assertion": MAX_TOKEN_BYTES,
    "access_token": MAX_TOKEN_BYTES,
}
"""Members that are texts, with the most characters of each."""
_TARGETS: Final = ("resource", "audience")
_CHOICES: Final = {
    "client_assertion_type": (ASSERTION_TYPE, SPIFFE_ASSERTION_TYPE),
    "authentication_method": SECRET_METHODS,
}
CREDENTIALS: Final = ("client_secret", "client_assertion", "access_token")


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """A token request, by the names of its parameters, or an access token. At most one of ``secret``,
    ``assertion`` and ``access_token`` is given. ``method``: how the secret is sent; None: as the client may
    send it. Neither ``repr`` nor a log shows a credential."""

    scope: str | None = None
    targets: tuple[str, ...] = ()
    secret: Secret | None = None
    method: str | None = None
    assertion: Secret | None = None
    assertion_type: str = ASSERTION_TYPE
    access_token: Secret | None = None

    @property
    def tests_secret(self) -> bool:
        """True if the result tells whether a guessed secret is right: one that is given, or one that an
        assertion is signed with."""
        if self.secret is not None:
            return True
        if self.assertion is None:
            return False
        try:
            algorithm = parse_compact(self.assertion.reveal()).header.algorithm
        except JoseError:
            return False  # nothing is compared with it
        return algorithm.name in SYMMETRIC_NAMES


def read_request(members: Mapping[str, Any]) -> EvaluationRequest:
    """Read a request. Raises InvalidRequestError, which quotes no value."""
    unknown = members.keys() - {*_TEXTS, *_TARGETS, *_CHOICES}
    if unknown:
        known = ", ".join(sorted({*_TEXTS, *_TARGETS, *_CHOICES}))
        raise InvalidRequestError(f"{len(unknown)} members are unknown; expected only {known}")
    if sum(members.get(name) is not None for name in CREDENTIALS) > 1:
        raise InvalidRequestError(f"send only one of {', '.join(CREDENTIALS)}")
    texts = {name: _text(members, name, most) for name, most in _TEXTS.items()}
    targets = tuple(target for name in _TARGETS for target in _targets(members, name))
    if len(targets) > MAX_TARGETS:
        raise InvalidRequestError(f"resource and audience may name at most {MAX_TARGETS}")
    access_token = _secret(texts["access_token"])
    if access_token is not None and (texts["scope"] is not None or len(targets) > 1):
        raise InvalidRequestError("an access token is evaluated without scope, and for at most one audience")
    return EvaluationRequest(
        texts["scope"],
        targets,
        _secret(texts["client_secret"]),
        _choice(members, "authentication_method"),
        _secret(texts["client_assertion"]),
        _choice(members, "client_assertion_type") or ASSERTION_TYPE,
        access_token,
    )


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _text(members: Mapping[str, Any], name: str, most: int) -> str | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise InvalidRequestError(f"{name} must be a text of 1 to {most} characters")
    return value


def _targets(members: Mapping[str, Any], name: str) -> list[str]:
    value = members.get(name)
    if value is None:
        return []
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list) or not all(
        isinstance(each, str) and 0 < len(each) <= MAX_TARGET_CHARACTERS for each in named
    ):
        raise InvalidRequestError(
            f"{name} must be a text of 1 to {MAX_TARGET_CHARACTERS} characters, or a list of them"
        )
    return list(named)


def _choice(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is None or value in _CHOICES[name]:
        return value
    raise InvalidRequestError(f"{name} must be one of {', '.join(_CHOICES[name])}")
