"""Tokens that callers ask about: access tokens of the realm, and those signed by clients."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.last_used import name_of_key
from keyturn_shared.fleet.replay import issuers_of
from keyturn_shared.jose.errors import (
    BadSignatureError,
    ExpiredError,
    MalformedError,
    MissingClaimError,
    NotYetValidError,
    UnknownKidError,
)
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    AuthenticatorMismatchError,
    ClientDisabledError,
    KeyRevokedError,
    PossessionError,
    ReplayedError,
    TokenEndedError,
    UnknownClientError,
    UnknownRealmError,
    WrongAudienceError,
    WrongIssuerError,
)
from keyturn_shared.oauth.key_errors import KeysUnavailableError
from keyturn_shared.oauth.tokens.verification import bearer_only, left_to_the_caller
from tests.testkit.oauth_scene import (
    CAP,
    CLIENT_KEY,
    DUMMY_KEYS,
    ISSUER,
    OTHER_KEY,
    REALM_KEY,
    SKEW,
    Scene,
    access_token,
    assertion,
    client,
    scene,
)

THUMBPRINT = CLIENT_KEY.verification_key.thumbprint
VERIFY = "verify"
API = "https://api.example"


@pytest.fixture
def made() -> Scene:
    return scene(client(), client("shop", resource_audiences=(API,)))


# -- access tokens


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_an_access_token_is_of_its_client(made: Scene, typ: str) -> None:
    token = access_token(made, typ)
    verified = await made.tokens.verify("acme", token)
    assert verified.issued_by_realm is True
    for each in (verified, await made.tokens.verify_access_token("acme", token)):
        assert (each.client_id, each.claims["jti"]) == ("worker", "a-token")
    assert made.used.uses == []
    assert made.noted == []


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"iss": None}, WrongIssuerError),
        ({"iss": "worker"}, WrongIssuerError),
        ({"exp": None}, MissingClaimError),
        ({"client_id": None}, MissingClaimError),
        ({"client_id": 7}, MissingClaimError),
        ({"client_id": "nobody"}, UnknownClientError),
        ({"client_uuid": "uuid-of-a-former-worker"}, UnknownClientError),
        ({"generation": "1"}, TokenEndedError),
        ({"cnf": {"jkt": "thumbprint"}}, PossessionError),
    ],
)
async def test_an_access_token_with_one_thing_wrong_is_refused(
    made: Scene, claims: dict[str, Any], refusal: type[KeyturnError]
) -> None:
    with pytest.raises(refusal):
        await made.tokens.verify_access_token("acme", access_token(made, **claims))


async def test_a_token_of_an_earlier_build_names_no_uuid(made: Scene) -> None:
    assert (await made.tokens.verify("acme", access_token(made, client_uuid=None))).client_id == "worker"


async def test_an_access_token_lasts_as_long_as_it_says_and_the_skew(made: Scene) -> None:
    token, begun = access_token(made), made.clock.time
    made.clock.time = begun + 300 + SKEW - 1
    await made.tokens.verify("acme", token)
    made.clock.time = begun + 300 + SKEW
    with pytest.raises(ExpiredError):
        await made.tokens.verify("acme", token)
    made.clock.time = begun - SKEW
    await made.tokens.verify("acme", token)
    made.clock.time = begun - SKEW - 1
    with pytest.raises(NotYetValidError):
        await made.tokens.verify("acme", token)


async def test_an_access_token_may_last_longer_than_an_assertion(made: Scene) -> None:
    await made.tokens.verify("acme", access_token(made, exp=made.clock.time + 100 * CAP))


async def test_an_access_token_under_a_key_that_is_not_the_realms_is_refused(made: Scene) -> None:
    forged = SigningKey.generate(kid=REALM_KEY.kid)
    with pytest.raises(BadSignatureError):
        await made.tokens.verify("acme", access_token(made, key=forged))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"enabled": False}, ClientDisabledError),
        ({"service_accounts_enabled": False}, ClientDisabledError),
        ({"token_generation": 1}, TokenEndedError),
        ({"not_before": 2_000_000}, TokenEndedError),
        ({"uuid": "another"}, UnknownClientError),
    ],
)
async def test_an_access_token_ends_with_what_its_client_was(
    changes: dict[str, Any], refusal: type[KeyturnError]
) -> None:
    made = scene(client(**changes))
    with pytest.raises(refusal):
        await made.tokens.verify("acme", access_token(made))


async def test_a_realm_that_is_off_or_not_there_answers_for_no_token(made: Scene) -> None:
    off = scene(client(), enabled=False)
    for where, name in ((off, "acme"), (made, "other")):
        for ask in (where.tokens.verify, where.tokens.verify_access_token):
            with pytest.raises(UnknownRealmError):
                await ask(name, access_token(where))


@pytest.mark.parametrize("typ", ["JWT", "dpop+jwt", "client-authentication+jwt", "logout+jwt"])
async def test_another_type_of_token_is_no_access_token(made: Scene, typ: str) -> None:
    with pytest.raises(MalformedError):
        await made.tokens.verify("acme", access_token(made, typ))


async def test_the_plain_type_is_taken_of_the_clients_that_are_told_to_have_it(made: Scene) -> None:
    plain = scene(client(plain_token_type=True), client("shop"))
    assert (await plain.tokens.verify("acme", access_token(plain, "JWT"))).client_id == "worker"
    wrong: dict[str, Any]
    for wrong, refusal in (
        ({"client_id": "shop"}, MalformedError),
        ({"client_id": "nobody"}, UnknownClientError),
        ({"client_id": 7}, MissingClaimError),
    ):
        with pytest.raises(refusal):
            await plain.tokens.verify("acme", access_token(plain, "JWT", **wrong))
    with pytest.raises(MalformedError):
        await plain.tokens.verify("acme", access_token(plain, "dpop+jwt"))


@pytest.mark.parametrize("named", [API, [API], ["other", API]])
async def test_an_access_token_is_for_an_audience_that_it_names(made: Scene, named: object) -> None:
    await made.tokens.verify("acme", access_token(made, aud=named), audience=API)


@pytest.mark.parametrize("named", [None, "other", ISSUER, ["other", ISSUER], [], API + "/more", API[:-1]])
async def test_an_access_token_is_for_no_audience_that_it_does_not_name(made: Scene, named: object) -> None:
    """Nor is an array of any others."""
    with pytest.raises(WrongAudienceError):
        await made.tokens.verify("acme", access_token(made, aud=named), audience=API)


async def test_whoever_a_token_is_not_for_hears_nothing_of_it(made: Scene) -> None:
    for ask in (made.tokens.verify, made.tokens.verify_access_token):
        assert (await ask("acme", access_token(made, aud=API), caller="shop")).client_id == "worker"
        forged = access_token(made, aud="other", key=OTHER_KEY)
        for token in (access_token(made, aud="other"), forged):
            with pytest.raises(WrongAudienceError):
                await ask("acme", token, caller="shop")


async def test_possession_is_asked_of_the_verified_claims(made: Scene) -> None:
    shown: list[tuple[str, str]] = []

    async def possession(realm: RealmState, claims: Mapping[str, Any]) -> None:
        shown.append((realm.projection.name, claims["jti"]))

    bound = access_token(made, cnf={"jkt": "thumbprint"})
    for ask in (made.tokens.verify, made.tokens.verify_access_token):
        await ask("acme", bound, possession=possession)
        await ask("acme", bound, possession=left_to_the_caller)
        with pytest.raises(PossessionError):
            await ask("acme", bound, possession=bearer_only)
    assert shown == [("acme", "a-token")] * 2


async def test_an_access_token_is_good_once_only_if_asked_for(made: Scene) -> None:
    token = access_token(made)
    for _ in range(2):
        await made.tokens.verify("acme", token, own_once=True)
    await made.tokens.verify("acme", token, single_use=True)
    with pytest.raises(ReplayedError):
        await made.tokens.verify("acme", token, single_use=True)
    [use] = made.used.uses
    assert use.jti == "a-token"
    assert use.remember_seconds == 300 + SKEW


# -- signed by clients


@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
async def test_a_token_of_a_client_names_the_server(made: Scene, typ: str) -> None:
    verified = await made.tokens.verify("acme", assertion(made, typ))
    assert (verified.client_id, verified.issued_by_realm) == ("worker", False)
    assert verified.claims["jti"] == "an-assertion"
    assert made.noted == [("uuid-of-worker", name_of_key(THUMBPRINT))]
    assert made.evened == []


async def test_a_token_of_a_client_for_an_audience_names_it_alone(made: Scene) -> None:
    await made.tokens.verify("acme", assertion(made, aud=API), audience=API)
    await made.tokens.verify("acme", assertion(made, aud=[API]), audience=API)
    for named in (ISSUER, "other", [API, "other"], [API, ISSUER], ["other"], []):
        with pytest.raises(WrongAudienceError):
            await made.tokens.verify("acme", assertion(made, aud=named), audience=API)
    for named in (API, [ISSUER, API], ["other"]):
        with pytest.raises(WrongAudienceError):
            await made.tokens.verify("acme", assertion(made, aud=named))


async def test_an_assertion_is_no_access_token(made: Scene) -> None:
    with pytest.raises(UnknownKidError):
        await made.tokens.verify_access_token("acme", assertion(made))


@pytest.mark.parametrize("how", [{"single_use": True}, {"own_once": True}])
async def test_an_assertion_is_good_once(made: Scene, how: dict[str, Any]) -> None:
    made.decisions = 2  # of which the second does not take the first one's mark for a replay
    token = assertion(made)
    await made.tokens.verify("acme", token, **how)
    [use] = made.used.uses
    assert use.issuers == issuers_of("acme", client())
    assert use.remember_seconds == CAP + 1
    with pytest.raises(ReplayedError):
        await made.tokens.verify("acme", token, **how)


async def test_a_token_for_others_may_come_again(made: Scene) -> None:
    token = assertion(made, aud=API)
    for _ in range(2):
        await made.tokens.verify("acme", token, audience=API, own_once=True)
    for _ in range(2):
        await made.tokens.verify("acme", assertion(made))
    assert made.used.uses == []


async def test_a_token_that_is_bound_uses_up_nothing_before_possession_is_shown(made: Scene) -> None:
    with pytest.raises(PossessionError):
        await made.tokens.verify("acme", assertion(made, cnf={"jkt": "thumbprint"}), single_use=True)
    assert made.used.uses == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"enabled": False}, ClientDisabledError),
        ({"authenticator": "client-secret"}, AuthenticatorMismatchError),
        ({"authenticator": "client-x509", "key": CLIENT_KEY}, AuthenticatorMismatchError),
        ({"revoked_thumbprints": frozenset({THUMBPRINT})}, KeyRevokedError),
        ({"not_before": 2_000_000}, TokenEndedError),
        ({"key": OTHER_KEY}, BadSignatureError),
        ({"key": SigningKey.generate(kid="another")}, UnknownKidError),
    ],
)
async def test_a_token_ends_with_what_its_client_was(
    changes: dict[str, Any], refusal: type[KeyturnError]
) -> None:
    made = scene(client(**changes))
    with pytest.raises(refusal):
        await made.tokens.verify("acme", assertion(made))
    assert made.noted == []


async def test_tokens_of_clients_end_with_the_realms_not_before() -> None:
    made = scene(client(), not_before=2_000_000)
    with pytest.raises(TokenEndedError):
        await made.tokens.verify("acme", assertion(made))


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"iss": None}, MissingClaimError),
        ({"iss": "nobody"}, UnknownClientError),
        ({"sub": "shop"}, WrongIssuerError),
        ({"sub": None}, WrongIssuerError),
        ({"aud": None}, MissingClaimError),
        ({"exp": None}, MissingClaimError),
    ],
)
async def test_a_token_of_a_client_with_one_thing_wrong_is_refused(
    made: Scene, claims: dict[str, Any], refusal: type[KeyturnError]
) -> None:
    with pytest.raises(refusal):
        await made.tokens.verify("acme", assertion(made, **claims))


async def _refuse(made: Scene, token: str) -> None:
    with pytest.raises(KeyturnError):
        await made.tokens.verify("acme", token)


async def test_every_refusal_before_the_claims_costs_one_signature_and_one_reading(
    made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time must not reveal the reason."""
    in_vain: list[str] = []
    monkeypatch.setattr(DUMMY_KEYS, "equalize_time", lambda token: in_vain.append(token.claims["iss"]))
    checked = scene(client(key=OTHER_KEY), client("revoked", revoked_thumbprints=frozenset({THUMBPRINT})))
    await _refuse(checked, assertion(checked))
    await _refuse(checked, assertion(checked, iss="revoked", sub="revoked"))
    assert (in_vain, checked.evened) == ([], ["worker", "revoked"])
    await _refuse(made, assertion(made, iss="nobody", sub="nobody"))
    assert (in_vain, made.evened) == (["nobody"], ["nobody"])


async def test_keys_that_cannot_be_had_now_are_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene(client())
    made.clients["worker"].projection = replace(made.clients["worker"].projection, inline=None)
    in_vain: list[object] = []
    monkeypatch.setattr(DUMMY_KEYS, "equalize_time", in_vain.append)
    with pytest.raises(KeysUnavailableError):
        await made.tokens.verify("acme", assertion(made))
    assert (len(in_vain), made.evened) == (1, [])
