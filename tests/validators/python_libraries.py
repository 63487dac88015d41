"""Python's libraries as resource servers use them with Keycloak. A function returns the claims of a token, or
raises the library's error."""

from collections.abc import Callable
from typing import Any, Final

import jwt
import requests
from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc7662 import IntrospectTokenValidator
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from jwcrypto.common import JWException
from keycloak import KeycloakOpenID

from tests.validators.rows import Answer, Answers, answers_of
from tests.validators.scene import Case

_SECONDS: Final = 60
REFUSALS: Final = (jwt.PyJWTError, OAuth2Error, JoseError, JWException, ValueError)


def pyjwt(case: Case) -> Callable[[str], Any]:
    keys = jwt.PyJWKClient(case.jwks_uri)

    def decode(token: str) -> Any:
        key = keys.get_signing_key_from_jwt(token)
        return jwt.decode(token, key, algorithms=["RS256"], audience=case.audience, issuer=case.issuer)

    return decode


def pyjwt_by_metadata(case: Case) -> Callable[[str], Any]:
    """The algorithms, too, are those of the metadata."""
    url = f"{case.issuer}/.well-known/openid-configuration"
    metadata = requests.get(url, timeout=_SECONDS).json()
    keys = jwt.PyJWKClient(metadata["jwks_uri"])
    algorithms = metadata["id_token_signing_alg_values_supported"]

    def decode(token: str) -> Any:
        key = keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token, key, algorithms=algorithms, audience=case.audience, issuer=metadata["issuer"]
        )

    return decode


def joserfc(case: Case) -> Callable[[str], Any]:
    keys = _key_set(case)
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": case.issuer}, aud={"essential": True, "value": case.audience}
    )

    def decode(token: str) -> Any:
        decoded = joserfc_jwt.decode(token, keys)
        registry.validate(decoded.claims)
        return decoded.claims

    return decode


def authlib_rfc9068(case: Case) -> Callable[[str], Any]:
    class Validator(JWTBearerTokenValidator):  # type: ignore[misc]  # Authlib has no types
        def get_jwks(self) -> Any:
            return _key_set(case)

    validator = Validator(issuer=case.issuer, resource_server=case.audience)

    def decode(token: str) -> Any:
        claims = validator.authenticate_token(token)
        validator.validate_token(claims, ["profile"], None)
        return claims

    return decode


def authlib_introspection(case: Case) -> Callable[[str], Any]:
    class Validator(IntrospectTokenValidator):  # type: ignore[misc]  # Authlib has no types
        def introspect_token(self, token_string: str) -> Any:
            answer = requests.post(
                case.introspection_endpoint,
                {"token": token_string},
                auth=(case.audience, case.secret),
                timeout=_SECONDS,
            )
            answer.raise_for_status()
            return answer.json()

    validator = Validator()

    def decode(token: str) -> Any:
        shown = validator.authenticate_token(token)
        validator.validate_token(shown, ["profile"], None)
        return shown

    return decode


def python_keycloak(case: Case) -> Callable[[str], Any]:
    openid = KeycloakOpenID(case.server_url, case.realm, case.audience, case.secret)
    return openid.decode_token


LIBRARIES: Final[dict[str, Callable[[Case], Callable[[str], Any]]]] = {
    'PyJWT, `algorithms=["RS256"]`': pyjwt,
    "PyJWT, algorithms from the metadata": pyjwt_by_metadata,
    "joserfc": joserfc,
    "Authlib, `rfc9068.JWTBearerTokenValidator`": authlib_rfc9068,
    "Authlib, `IntrospectTokenValidator`": authlib_introspection,
    "python-keycloak, `decode_token`": python_keycloak,
}


def run(library: str, case: Case) -> Answers:
    """Return what a library answers to each token."""
    decode = LIBRARIES[library](case)

    def ask(token: str) -> Answer:
        try:
            claims = decode(token)
        except REFUSALS as refused:
            return {"refused": f"{type(refused).__name__}: {refused}"}
        return {
            "roles": sorted(claims["realm_access"]["roles"]),
            "client_roles": claims["resource_access"][case.audience]["roles"],
        }

    return answers_of(case, ask)


def _key_set(case: Case) -> KeySet:
    return KeySet.import_key_set(requests.get(case.jwks_uri, timeout=_SECONDS).json())
