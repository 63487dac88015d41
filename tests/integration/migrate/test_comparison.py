"""Two realms of a real node are compared as two sides, and servers that fail as what they are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from keyturn.migrate.compare import side as side_module
from keyturn.migrate.compare.comparison import Compared, Verdict, compare_all
from keyturn.migrate.compare.credentials import Credential, Keys, credential_of
from keyturn.migrate.compare.differences import Granted, Refused
from keyturn.migrate.compare.side import Side, SideError
from keyturn_credentials.domain.export_reading import ExportedClient, read_export
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import ClientProjection, RealmProjection
from tests.testkit.certificates import issue, make_authority
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.nodes import BASE_URL, RunningNode

SECRET = "a secret of every client here, long enough"
OTHER = "another secret of every client, long enough"
CLIENTS = read_export(
    {
        "clients": [
            {"clientId": "alike", "secret": SECRET},
            {"clientId": "signing", "secret": SECRET, "clientAuthenticatorType": "client-secret-jwt"},
            {"clientId": "by-key", "clientAuthenticatorType": "client-jwt"},
            {"clientId": "shorter", "secret": SECRET},
            {"clientId": "changed", "secret": SECRET},
            {"clientId": "gone", "secret": OTHER},
            {"clientId": "public", "publicClient": True},
        ]
    }
)


class Two(NamedTuple):
    """Two sides, and the directory of keys."""

    keycloak: Side
    keyturn: Side
    keys: Keys


@pytest.fixture
async def two(
    node: RunningNode, filling: Filling, realm: RealmProjection, tmp_path: Path
) -> AsyncIterator[Two]:
    """The realms ``acme`` and ``moved`` of one node. A client differs in its lifespan, another in its
    secret."""
    moved = realm_of("moved")
    await filling.rotate(moved)
    key = SigningKey.generate("ES256")
    (tmp_path / "by-key.jwk").write_bytes(key.export_private_jwk())
    for each in (realm, moved):
        is_moved = each is moved
        for client in (
            named(each, "alike", secret=SECRET),
            named(
                each, "signing", secret=SECRET, authenticator="client-secret-jwt", audiences=("https://api",)
            ),
            named(each, "by-key", key=key),
            named(each, "shorter", secret=SECRET, access_token_lifespan=60 if is_moved else None),
            named(each, "changed", secret=OTHER if is_moved else SECRET),
        ):
            await filling.change(each, client)
    await node.applied(filling.sequence)
    transport = httpx.ASGITransport(app=node.app, raise_app_exceptions=False)
    async with (
        Side("Keycloak", BASE_URL, "acme", seconds=30, transport=transport) as first,
        Side("keyturn", BASE_URL, "moved", seconds=30, transport=transport) as second,
    ):
        yield Two(first, second, Keys(tmp_path))


def named(realm: RealmProjection, client_id: str, **changes: Any) -> ClientProjection:
    """Make a client with the same id in both realms, as a migration does."""
    return client_of(realm, client_id, uuid=f"id-of-{client_id}", **changes)


async def compared(two: Two, *, concurrency: int = 3) -> dict[str, Compared]:
    found = await compare_all(CLIENTS, (two.keycloak, two.keyturn), two.keys, concurrency=concurrency)
    assert [each.client_id for each in found] == [client.client_id for client in CLIENTS]
    return {each.client_id: each for each in found}


async def test_each_client_is_compared_with_its_own_kind_of_credential(two: Two) -> None:
    found = await compared(two)
    for client_id in ("alike", "signing", "by-key"):
        each = found[client_id]
        assert (each.verdict, each.granted, each.introspected) == (Verdict.EXPECTED, True, True), each
    open_ones = {
        client_id: [(one.where, one.name) for one in each.differences if one.reason is None]
        for client_id, each in found.items()
        if each.verdict is Verdict.UNEXPLAINED
    }
    assert open_ones == {
        "shorter": [("response", "expires_in"), ("claims", "lifetime"), ("introspection", "lifetime")],
        "changed": [("response", "outcome")],
    }
    assert (found["gone"].verdict, found["gone"].granted) == (Verdict.SAME, False)
    assert found["public"].verdict is Verdict.NOT_COMPARED


async def test_another_client_may_introspect_all_tokens(two: Two) -> None:
    """It is shown only tokens that are for it."""
    alike = credential_of(CLIENTS[0], two.keys)
    shown = []
    for client in (CLIENTS[1], CLIENTS[0]):
        granted = await two.keyturn.ask(credential_of(client, two.keys), alike)
        assert isinstance(granted, Granted)
        assert granted.introspection is not None
        shown.append(granted.introspection["active"])
    assert shown == [False, True]


Answer = Callable[[httpx.Request], httpx.Response]
METADATA = {"issuer": "https://broken/realms/acme"}


def broken(answer: Answer) -> httpx.MockTransport:
    """A side whose metadata is fine, and whose token endpoint answers like this."""

    async def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/openid-configuration"):
            return httpx.Response(200, json=METADATA)
        if request.url.path.endswith("/certs"):
            return httpx.Response(200, json={"keys": []})
        if answer is hanging:
            await asyncio.Event().wait()
        return answer(request)

    return httpx.MockTransport(handle)


def hanging(request: httpx.Request) -> httpx.Response:
    raise AssertionError("it never answers")


def refusing(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"refused, with {request.content.decode()}")


def lying(token: object) -> Answer:
    return lambda request: httpx.Response(200, json={"access_token": token})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (hanging, "no answer within 0.05 s"),
        (refusing, "no answer: ConnectError"),
        (lambda request: httpx.Response(503), "status 503"),
        (lambda request: httpx.Response(429), "status 429"),
        (lambda request: httpx.Response(200, text="<html>"), "without JSON"),
        (lambda request: httpx.Response(200, content=b"{" + b" " * 2000), "longer than"),
        (lambda request: httpx.Response(200, json={}), "no access token"),
        (lying("opaque"), "not a JWT"),
        (lying("e30.W10.x"), "not a JWT"),
        (lying(7), "no access token"),
    ],
)
async def test_a_side_that_fails_is_an_error_of_each_client_and_of_no_more(
    two: Two, answer: Answer, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Side("Keycloak", "https://broken", "acme", seconds=0.05, transport=broken(answer)) as away:
        if said == "longer than":
            monkeypatch.setattr(side_module, "MAX_BYTES", 1000)
        found = await compared(two._replace(keycloak=away))
    failed = {each.client_id for each in found.values() if each.verdict is Verdict.FAILED}
    assert failed == {client.client_id for client in CLIENTS} - {"public"}
    for each in found.values():
        if each.verdict is Verdict.FAILED:
            assert each.reason is not None
            assert each.reason.startswith("Keycloak: ")
            assert said in each.reason
            assert SECRET not in each.reason


async def test_a_token_that_no_published_key_signed_is_told(two: Two) -> None:
    key = SigningKey.generate("ES256")
    forged = key.sign_compact(key.header_segment(), {"iss": METADATA["issuer"]})
    async with Side("Keycloak", "https://x", "acme", seconds=5, transport=broken(lying(forged))) as liar:
        granted = await liar.ask(credential_of(CLIENTS[0], two.keys), None)
    assert isinstance(granted, Granted)
    assert granted.signature == "unknown_kid"


def describing(**metadata: Any) -> httpx.MockTransport:
    """A side with this metadata that refuses every client, with what it was sent."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/openid-configuration"):
            return httpx.Response(200, json=metadata)
        if request.url.path.endswith("/certs"):
            return httpx.Response(200, json={"keys": []})
        return httpx.Response(401, json={"error": "x" * 90 + request.content.decode()})

    return httpx.MockTransport(handle)


@pytest.mark.parametrize("issuer", [None, 7])
async def test_a_side_without_an_issuer_is_told_from_the_start(issuer: object) -> None:
    transport = describing(issuer=issuer)
    with pytest.raises(SideError, match=r"the realm's metadata has no issuer"):
        async with Side("keyturn", "https://x", "acme", seconds=5, transport=transport):
            raise AssertionError("there is nothing to compare")


@pytest.mark.parametrize("alias", ["https://[::1", "https://x:99999/token", "http://x/token", 7, None])
async def test_an_unusable_address_for_certificates_is_not_used(alias: object) -> None:
    aliases = {"token_endpoint": alias}
    transport = describing(issuer="https://x", mtls_endpoint_aliases=aliases)
    async with Side("keyturn", "https://x", "acme", seconds=5, transport=transport) as side:
        assert side.endpoints.mtls_token == side.endpoints.token


async def test_a_refusal_is_not_cut_before_secrets_are_looked_for_in_it(two: Two) -> None:
    transport = describing(issuer="https://x")
    async with Side("keyturn", "https://x", "acme", seconds=5, transport=transport) as side:
        refused = await side.ask(credential_of(CLIENTS[0], two.keys), None)
    assert isinstance(refused, Refused)
    assert refused.error.endswith("long+enough") or refused.error.endswith("long%20enough")


async def test_an_encrypted_key_of_a_certificate_is_an_error_and_not_a_question(tmp_path: Path) -> None:
    """OpenSSL would ask for its password at the terminal, and wait."""
    issued = issue(make_authority())
    certificate, file = tmp_path / "a.crt", tmp_path / "a.key"
    certificate.write_bytes(issued.pem)
    encrypted = BestAvailableEncryption(b"open")
    file.write_bytes(issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encrypted))
    credential = Credential("a", certificate=(certificate, file))
    async with Side("x", "https://x", "acme", seconds=5, transport=describing(issuer="https://x")) as side:
        with pytest.raises(SideError, match=r"a\.crt cannot be used"):
            await side.ask(credential, None)


async def test_a_side_that_is_away_from_the_start_ends_the_comparison() -> None:
    with pytest.raises(SideError, match=r"keyturn: no answer: ConnectError"):
        async with Side("keyturn", "https://x", "acme", seconds=5, transport=httpx.MockTransport(refusing)):
            raise AssertionError("there is nothing to compare")


async def test_no_more_clients_are_asked_about_at_a_time_than_allowed(two: Two) -> None:
    active = most = 0
    many = [ExportedClient(f"c{number}", {"secret": SECRET}) for number in range(20)]

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal active, most
        if request.url.path.endswith("/token"):
            active += 1
            most = max(most, active)
            await asyncio.sleep(0)
            active -= 1
            return httpx.Response(401, json={"error": "invalid_client"})
        return httpx.Response(200, json={**METADATA, "keys": []})

    told: list[tuple[int, int]] = []
    async with Side("Keycloak", "https://x", "a", seconds=5, transport=httpx.MockTransport(handle)) as side:
        found = await compare_all(
            many,
            (side, two.keyturn),
            two.keys,
            concurrency=4,
            progress=lambda done, of: told.append((done, of)),
        )
    assert (len(found), told[-1]) == (20, (20, 20))
    assert 1 < most <= 4
