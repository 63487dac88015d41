"""Assertions of trusted issuers about clients: whose they are, how often they count, what a refusal costs."""

from typing import Any

import pytest

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.last_used import name_of_key
from keyturn_shared.fleet.replay import names_of_issuer
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import (
    AlgorithmNotAllowedError,
    BadSignatureError,
    ExpiredError,
    LifetimeTooLongError,
    MissingClaimError,
)
from keyturn_shared.oauth.client_authentication.credentials import (
    ASSERTION_TYPE,
    SPIFFE_ASSERTION_TYPE,
    Attempt,
    IssuedAssertion,
    UnverifiedAssertion,
    read_credentials,
)
from keyturn_shared.oauth.client_authentication.issued_claims import check_conditions
from keyturn_shared.oauth.errors import (
    AuthenticatorMismatchError,
    ClientDisabledError,
    ConditionNotMetError,
    InvalidRequestError,
    IssuerDisabledError,
    KeyRevokedError,
    ReplayedError,
    SubjectRevokedError,
    UnknownClientError,
    WrongIssuerError,
    WrongSubjectError,
)
from keyturn_shared.oauth.ports import Subject
from keyturn_shared.oauth.trusted_issuers import TrustedIssuers, trust_domain_of
from keyturn_shared.projection import ClientProjection, FederatedIdentity, ProjectedIssuer
from tests.testkit.oauth_scene import (
    CLIENT_KEY,
    DUMMY_KEYS,
    OTHER_KEY,
    SKEW,
    Scene,
    assertion,
    client,
    scene,
)

PLATFORM = "https://platform.example"
JOB = "project:shop/orders"
ISSUER = ProjectedIssuer(id="i", alias="platform", issuer=PLATFORM, keys_url="https://platform.example/jwks")


def workload(**changes: Any) -> ClientProjection:
    identity = FederatedIdentity(alias="platform", subject=changes.pop("subject", JOB))
    return client(**{"authenticator": "federated-jwt", "federated": identity, **changes})


def with_issuer(one: ClientProjection, **issuer: Any) -> Scene:
    fields = {name: getattr(ISSUER, name) for name in ISSUER.__struct_fields__} | issuer
    made = scene(one, trusted_issuers=(ProjectedIssuer(**fields),))
    made.keys.behind_url = (CLIENT_KEY,)
    made.subjects[Subject("platform", JOB)] = one.client_id
    return made


def presented(made: Scene, *, named: str | None = None, **claims: Any) -> Attempt:
    """Present a token of the platform."""
    text = assertion(made, **{"iss": PLATFORM, "sub": JOB, **claims})
    form = {"client_assertion": text, "client_assertion_type": ASSERTION_TYPE}
    return Attempt(read_credentials(None, form | ({} if named is None else {"client_id": named})))


async def authenticate(made: Scene, attempt: Attempt) -> ClientProjection:
    return await made.authenticator.authenticate(made, made.realm, attempt)  # type: ignore[arg-type]  # a scene names realms itself


async def test_the_issuer_states_who_the_client_is_once() -> None:
    made = with_issuer(workload())
    attempt = presented(made)
    for _ in range(2):  # a repeated decision does not take its own mark for a replay
        assert (await authenticate(made, attempt)).client_id == "worker"
    assert made.noted == [("uuid-of-worker", name_of_key(CLIENT_KEY.verification_key.thumbprint))] * 2
    [use] = made.used.uses
    assert use.issuers == names_of_issuer(made.realm.projection, ISSUER)
    with pytest.raises(ReplayedError):
        await authenticate(made, presented(made))


@pytest.mark.parametrize("issued_at", [999_990, None])
async def test_an_assertion_is_used_for_as_long_as_any_client_of_the_issuer_may_use_it(
    issued_at: int | None,
) -> None:
    """The limit of the client that used it can be shorter than that of another one with the subject."""
    uses = []
    for limit in (None, 30):
        made = with_issuer(workload(max_assertion_lifetime=limit), max_lifetime=3600)
        made.clock.time = 1_000_000
        await authenticate(made, presented(made, iat=issued_at, exp=1_000_020))
        uses += made.used.uses
    assert uses[0] == uses[1]


async def test_a_reusable_assertion_is_not_marked() -> None:
    made = with_issuer(workload(), is_reusable=True)
    for _ in range(2):
        await authenticate(made, presented(made, jti=None))
    assert made.used.uses == []


REFUSED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], type[KeyturnError], int]] = [
    ({"enabled": False}, {}, {}, ClientDisabledError, 1),
    ({"authenticator": "client-jwt"}, {}, {}, AuthenticatorMismatchError, 1),
    ({"authenticator": "client-secret"}, {}, {}, AuthenticatorMismatchError, 1),
    ({"federated": None}, {}, {}, WrongIssuerError, 1),
    ({"federated": FederatedIdentity(alias="other", subject=JOB)}, {}, {}, WrongIssuerError, 1),
    ({"signing_alg": "RS256"}, {}, {}, AlgorithmNotAllowedError, 1),
    ({}, {"enabled": False}, {}, IssuerDisabledError, 1),
    ({}, {"algorithms": ("RS256",)}, {}, AlgorithmNotAllowedError, 1),
    ({}, {}, {"key": OTHER_KEY}, BadSignatureError, 0),
    (
        {},
        {"revoked_thumbprints": frozenset({CLIENT_KEY.verification_key.thumbprint})},
        {},
        KeyRevokedError,
        0,
    ),
    ({}, {"revoked_subjects": frozenset({JOB})}, {}, SubjectRevokedError, 0),
    ({"subject": "another"}, {}, {}, WrongSubjectError, 0),
    ({}, {"conditions": {"ref": "main"}}, {}, ConditionNotMetError, 0),
    ({}, {}, {"exp": 1}, ExpiredError, 0),
    ({}, {"max_lifetime": 1}, {"iat": 999_000}, LifetimeTooLongError, 0),
    ({"max_assertion_lifetime": 1}, {}, {"iat": 999_990}, LifetimeTooLongError, 0),
    ({}, {}, {"jti": None}, MissingClaimError, 0),
]


@pytest.mark.parametrize(("changes", "issuer", "claims", "refusal", "dummy_keys"), REFUSED)
async def test_a_refusal_costs_one_signature_and_two_readings_and_uses_nothing_up(
    changes: dict[str, Any],
    issuer: dict[str, Any],
    claims: dict[str, Any],
    refusal: type[KeyturnError],
    dummy_keys: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_vain: list[object] = []
    monkeypatch.setattr(DUMMY_KEYS, "equalize_time", in_vain.append)
    made = with_issuer(workload(**dict(changes)), **issuer)
    made.keys.newer = made.keys.behind_url
    with pytest.raises(refusal):
        await authenticate(made, presented(made, **claims))
    assert (len(in_vain), made.evened, made.used.uses) == (dummy_keys, ["worker", JOB], [])


async def test_an_unknown_subject_costs_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    in_vain: list[object] = []
    monkeypatch.setattr(DUMMY_KEYS, "equalize_time", in_vain.append)
    made = with_issuer(workload())
    with pytest.raises(UnknownClientError):
        await authenticate(made, presented(made, sub="nobody"))
    assert (len(in_vain), made.evened) == (1, ["nobody", "nobody"])


async def test_a_client_that_is_named_is_not_looked_for_by_its_subject() -> None:
    made = with_issuer(workload())
    made.subjects.clear()
    assert (await authenticate(made, presented(made, named="worker"))).client_id == "worker"
    with pytest.raises(UnknownClientError):
        await authenticate(made, presented(made, named="nobody"))
    assert made.evened == ["nobody"]


async def test_the_assertion_of_an_issuer_that_is_not_trusted_counts_as_the_clients_own() -> None:
    """It is refused as such, with the same work as before there were trusted issuers."""
    made = scene(client())
    with pytest.raises(WrongIssuerError):
        await authenticate(made, presented(made, sub="worker"))
    with pytest.raises(UnknownClientError):
        await authenticate(made, presented(made))
    assert made.evened == ["worker", JOB]


async def test_the_clock_skew_of_an_issuer_is_its_own() -> None:
    made = with_issuer(workload(), clock_skew=0, is_reusable=True)
    late = presented(made, exp=made.clock.time - 1)
    with pytest.raises(ExpiredError):
        await authenticate(made, late)
    made = with_issuer(workload(), is_reusable=True)
    await authenticate(made, presented(made, exp=made.clock.time - SKEW + 1))


def test_an_assertion_is_someone_elses_if_its_issuer_is_not_its_subject() -> None:
    made = scene(client())
    form = {"client_assertion_type": ASSERTION_TYPE}
    own = read_credentials(None, {**form, "client_assertion": assertion(made)})
    assert isinstance(own, UnverifiedAssertion)
    text = assertion(made, iss=PLATFORM)
    other = read_credentials(None, {**form, "client_assertion": text})
    assert other == IssuedAssertion(parse_compact(text), "worker", False, False)
    form["client_assertion_type"] = SPIFFE_ASSERTION_TYPE
    svid = read_credentials(None, {**form, "client_assertion": assertion(made, iss=None), "client_id": "a"})
    assert isinstance(svid, IssuedAssertion)
    assert (svid.client_id, svid.is_named, svid.is_spiffe) == ("a", True, True)
    with pytest.raises(InvalidRequestError):
        read_credentials(None, {"client_assertion": assertion(made), "client_assertion_type": "jwt"})


@pytest.mark.parametrize(
    ("subject", "domain"),
    [
        ("spiffe://a.example/b", "spiffe://a.example"),
        ("spiffe://a.example/", ""),
        ("spiffe://a.example", ""),
        ("spiffe:///b", "spiffe://"),
        ("SPIFFE://a.example/b", ""),
        ("https://a.example/b", ""),
        ("", ""),
    ],
)
def test_the_trust_domain_is_that_of_a_spiffe_id_with_a_path(subject: str, domain: str) -> None:
    assert trust_domain_of(subject) == domain


def test_an_issuer_and_a_trust_domain_are_different_things() -> None:
    spire = ProjectedIssuer(
        id="s", alias="spire", issuer="spiffe://a.example", keys_url="https://a/bundle", is_spiffe=True
    )
    known = TrustedIssuers((ISSUER, spire), frozenset({"realm"}))
    by_name = known.find({"iss": PLATFORM, "sub": "x"}, is_spiffe=False)
    assert by_name is not None
    assert (by_name.alias, by_name.audiences) == ("platform", frozenset({"realm"}))
    by_domain = known.find({"sub": "spiffe://a.example/b"}, is_spiffe=True)
    assert by_domain is not None
    assert by_domain.alias == "spire"
    assert known.find({"iss": "spiffe://a.example", "sub": "x"}, is_spiffe=False) is None
    assert known.find({"iss": PLATFORM, "sub": "x"}, is_spiffe=True) is None
    assert known.find({"sub": "x"}, is_spiffe=False) is None


@pytest.mark.parametrize(
    ("claims", "conditions", "is_met"),
    [
        ({"a": "b"}, {"a": "b"}, True),
        ({"a": "b"}, {"a": "c"}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": 1}, {"a": 1.0}, False),
        ({"a": "1"}, {"a": 1}, False),
        ({}, {"a": ""}, False),
        ({"a": {"b/c": {"~d": 1}}}, {"/a/b~1c/~0d": 1}, True),
        ({"a": {"b": 1}}, {"/a/b/c": 1}, False),
        ({"a": [1]}, {"/a/0": 1}, False),
        ({"/a": 1}, {"/a": 1}, False),
        ({"": 1}, {"/": 1}, True),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, False),
    ],
)
def test_conditions_are_met_by_equal_values_of_the_same_type(
    claims: dict[str, Any], conditions: dict[str, Any], is_met: bool
) -> None:
    if is_met:
        check_conditions(claims, conditions)
        return
    with pytest.raises(ConditionNotMetError):
        check_conditions(claims, conditions)
