"""ID tokens that are not this provider's for this sign-in, and claims that grant nothing."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from keyturn_credentials.oidc.errors import Refusal, SignInError, SignInRefusedError
from keyturn_credentials.oidc.flow import PersonSignIn, SignedIn
from keyturn_credentials.oidc.provider import Provider
from keyturn_shared.jose.signing import SigningKey, header_segment
from keyturn_shared.network.fetcher import GuardedFetcher
from tests.integration.credentials.persons.scene import person_settings
from tests.testkit.identity_provider import CLIENT_ID, IdentityProvider
from tests.testkit.nodes import TestClock
from tests.testkit.secret_signing import mac_over

FORGED = SigningKey.generate("ES256", kid="first")
MakeToken = Callable[[IdentityProvider, dict[str, Any]], str]


@pytest.fixture
async def sign_in(provider: IdentityProvider, clock: TestClock) -> AsyncIterator[PersonSignIn]:
    """The sign-in without the service."""
    oidc = person_settings("sqlite+aiosqlite://", "redis://nobody.invalid", provider.issuer).oidc()
    assert oidc is not None
    fetcher = GuardedFetcher()
    yield PersonSignIn(Provider(oidc, fetcher, clock), clock)
    fetcher.close()


async def complete(
    sign_in: PersonSignIn, provider: IdentityProvider, make: MakeToken, **claims: Any
) -> SignedIn:
    """Sign in with the token that ``make`` makes of good claims."""
    flow, url = await sign_in.begin("/console/")
    asked = dict(parse_qsl(urlsplit(url).query))
    token = make(provider, provider.claims(nonce=asked["nonce"], groups=["admins"], **claims))
    provider.issue("code", asked["code_challenge"], id_token=token)
    return await sign_in.complete(flow, {"state": asked["state"], "code": "code", "iss": provider.issuer})


def unsigned(claims: dict[str, Any]) -> str:
    """Return a token with ``alg`` none."""
    parts = (json.dumps({"alg": "none"}), json.dumps(claims))
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts) + "."


def by_public_key(provider: IdentityProvider, claims: dict[str, Any]) -> str:
    """Return a token with an HMAC whose secret is the provider's public key."""
    public = json.dumps(provider.key.public_jwk)
    return mac_over(header_segment("HS256", kid="first"), claims, public, "HS256")


FORGERIES: dict[str, MakeToken] = {
    "alg none": lambda provider, claims: unsigned(claims),
    "HS256 with the public key": by_public_key,
    "another key of the same name": lambda provider, claims: provider.sign(claims, key=FORGED),
    "algorithm that is not announced": lambda provider, claims: provider.sign(
        claims, key=SigningKey.generate("EdDSA", kid="first")
    ),
    "altered claims": lambda provider, claims: _altered(provider.sign(claims)),
    "a logout token": lambda provider, claims: provider.sign(claims, typ="logout+jwt"),
    "no token": lambda provider, claims: "a.b.c",
    "another audience": lambda provider, claims: provider.sign(claims | {"aud": "orders"}),
    "another party": lambda provider, claims: provider.sign(claims | {"azp": "orders"}),
    "several audiences": lambda provider, claims: provider.sign(claims | {"aud": [CLIENT_ID, "orders"]}),
    "another issuer": lambda provider, claims: provider.sign(claims | {"iss": "https://evil.example"}),
    "an issuer with a slash": lambda provider, claims: provider.sign(claims | {"iss": f"{claims['iss']}/"}),
    "expired": lambda provider, claims: provider.sign(claims | {"exp": int(time.time()) - 60}),
    "from the future": lambda provider, claims: provider.sign(claims | {"iat": int(time.time()) + 600}),
    "another nonce": lambda provider, claims: provider.sign(claims | {"nonce": "another"}),
    "a nonce that is a number": lambda provider, claims: provider.sign(claims | {"nonce": 1}),
    **{
        f"no {name}": lambda provider, claims, name=name: provider.sign(  # type: ignore[misc]
            {key: value for key, value in claims.items() if key != name}
        )
        for name in ("iss", "aud", "exp", "iat", "nonce", "sub")
    },
    "an empty sub": lambda provider, claims: provider.sign(claims | {"sub": ""}),
    "a long sub": lambda provider, claims: provider.sign(claims | {"sub": "a" * 256}),
    "a sub with a line break": lambda provider, claims: provider.sign(claims | {"sub": "a\nb"}),
}


def _altered(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = json.dumps(claims | {"sub": "admin"}).encode()
    return f"{header}.{base64.urlsafe_b64encode(changed).rstrip(b'=').decode()}.{signature}"


@pytest.mark.parametrize("name", FORGERIES)
async def test_an_id_token_that_is_not_the_providers_for_this_sign_in_is_refused(
    sign_in: PersonSignIn, provider: IdentityProvider, name: str
) -> None:
    with pytest.raises(SignInRefusedError) as refused:
        await complete(sign_in, provider, FORGERIES[name])
    assert refused.value.reason is Refusal.UNTRUSTED


@pytest.mark.parametrize(
    "claims", [{"aud": [CLIENT_ID]}, {"aud": [CLIENT_ID, "api"], "azp": CLIENT_ID}], ids=str
)
async def test_a_token_for_this_service_is_accepted(
    sign_in: PersonSignIn, provider: IdentityProvider, claims: dict[str, Any]
) -> None:
    signed_in = await complete(sign_in, provider, lambda by, given: by.sign(given | claims))
    assert (signed_in.subject, len(signed_in.groups)) == ("ada-1", 1)


@pytest.mark.parametrize(
    "groups", [{"admins": True}, 1, True, ["admins", 1], [["admins"]], [{"name": "admins"}], {}], ids=str
)
async def test_groups_of_the_wrong_type_are_refused(
    sign_in: PersonSignIn, provider: IdentityProvider, groups: object
) -> None:
    with pytest.raises(SignInError) as refused:
        await complete(sign_in, provider, lambda by, given: by.sign(given | {"groups": groups}))
    assert refused.value.reason is Refusal.GROUPS_UNREADABLE


@pytest.mark.parametrize("groups", [None, [], "", "Admins", "admins ", "admin", ["admins,viewers"]], ids=str)
async def test_only_a_groups_exact_name_has_its_roles(
    sign_in: PersonSignIn, provider: IdentityProvider, groups: object
) -> None:
    signed_in = await complete(sign_in, provider, lambda by, given: by.sign(given | {"groups": groups}))
    assert signed_in.groups == ()


async def test_an_address_at_userinfo_needs_the_verification_there(
    provider: IdentityProvider, clock: TestClock
) -> None:
    """An ID token that says an address is verified, and names none, does not vouch for it."""
    by_address = {
        "console_oidc_groups_claim": "email",
        "console_oidc_roles": json.dumps({"ada@example.com": {"master": ["admin"]}}),
    }
    oidc = person_settings(
        "sqlite+aiosqlite://", "redis://nobody.invalid", provider.issuer, **by_address
    ).oidc()
    assert oidc is not None
    with closing(GuardedFetcher()) as fetcher:
        sign_in = PersonSignIn(Provider(oidc, fetcher, clock), clock)
        flow, url = await sign_in.begin("/console/")
        asked = dict(parse_qsl(urlsplit(url).query))
        token = provider.sign(provider.claims(nonce=asked["nonce"], email_verified=True))
        provider.issue("code", asked["code_challenge"], id_token=token, access_token="access")
        provider.people["access"] = {"sub": "ada-1", "email": "ada@example.com", "email_verified": False}
        with pytest.raises(SignInError) as refused:
            answer = {"state": asked["state"], "code": "code", "iss": provider.issuer}
            await sign_in.complete(flow, answer)
    assert refused.value.reason is Refusal.GROUPS_UNREADABLE
