"""Credentials from files, and token endpoints that do not issue a token."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.profiles import Profile
from keyturn.admin_cli.servers import Server
from keyturn.admin_cli.sign_in import get_token, read_key, read_secret
from keyturn_shared.jose.algorithms import PrivateKey
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.secret import Secret

PROFILE = Profile(
    name="id", server="https://id.test", realm="ma ster", client_id="ad:min", default_realm="acme"
)


def server(answer: Callable[[httpx.Request], httpx.Response]) -> Server:
    return Server(httpx.Client(base_url="https://id.test", transport=httpx.MockTransport(answer)))


def pem(key: PrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_a_secret_is_sent_as_rfc_6749_writes_it() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"access_token": "a.b.c", "expires_in": 300})

    token = get_token(server(answer), PROFILE, Secret("s:%é"), now=lambda: 1000.0)
    assert (token.text, token.expires_at) == ("a.b.c", 1300.0)
    assert "a.b.c" not in repr(token)
    (request,) = seen
    assert request.url.raw_path == b"/realms/ma%20ster/protocol/openid-connect/token"
    pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "ad%3Amin:s%3A%25%C3%A9"


@pytest.mark.parametrize(("data_dir", "is_told"), [(None, False), ("/data", True)])
def test_a_local_stacks_secret_that_does_not_work_can_be_replaced(
    data_dir: str | None, is_told: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"error": "invalid_client"})

    with pytest.raises(CommandError) as caught:
        get_token(server(answer), replace(PROFILE, data_dir=data_dir), Secret("former"))
    assert caught.value.exit_code is ExitCode.NOT_ALLOWED
    assert ("keyturn admin recover --data-dir /data" in str(caught.value)) == is_told


def test_an_assertion_is_for_the_realms_issuer_whatever_url_is_called() -> None:
    forms: list[dict[str, list[str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"issuer": "https://public.test/realms/master"})
        forms.append(parse_qs(request.content.decode()))
        return httpx.Response(200, json={"access_token": "t", "expires_in": 60})

    key = SigningKey.generate()
    get_token(server(answer), PROFILE, key, now=lambda: 1000.0)
    (assertion,) = forms[0]["client_assertion"]
    claims = base64.urlsafe_b64decode(assertion.split(".")[1] + "==")
    assert b'"aud":"https://public.test/realms/master"' in claims
    assert b'"exp":1030' in claims


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"error": "invalid_client", "error_description": "wrong"}, ExitCode.NOT_ALLOWED),
        (400, {"error": "invalid_client"}, ExitCode.NOT_ALLOWED),
        (404, {}, ExitCode.NOT_ALLOWED),
        (200, {}, ExitCode.FAILED),
        (200, [], ExitCode.FAILED),
        (200, {"access_token": 1}, ExitCode.FAILED),
        (200, {"access_token": "t\u00e9"}, ExitCode.FAILED),
        (200, {"access_token": "t", "expires_in": "soon"}, ExitCode.FAILED),
        (503, {}, ExitCode.UNREACHABLE),
    ],
)
def test_no_token_is_a_refusal(status: int, body: object, code: ExitCode) -> None:
    with pytest.raises(CommandError) as refused:
        get_token(server(lambda _: httpx.Response(status, json=body)), PROFILE, Secret("s"))
    assert refused.value.exit_code is code


def test_a_realm_without_discovery_is_named() -> None:
    with pytest.raises(CommandError, match="discovery"):
        get_token(server(lambda _: httpx.Response(404, json={})), PROFILE, SigningKey.generate())


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
)
def test_a_pem_key_signs_with_the_algorithm_that_fits(tmp_path: Path, key: PrivateKey, alg: str) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(key))
    found = read_key(file, "kid-1")
    assert (found.algorithm, found.kid) == (alg, "kid-1")


def test_a_jwk_has_its_own_algorithm_and_kid(tmp_path: Path) -> None:
    key = SigningKey.generate("ES512", kid="mine")
    file = tmp_path / "key.json"
    file.write_bytes(key.export_private_jwk())
    assert read_key(file, None).public_jwk == key.public_jwk


def test_what_is_no_private_key_is_refused_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "key"
    odd = ec.generate_private_key(ec.SECP256K1())
    locked = pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"password"))
    for text in (b"", b"{", b'{"kty": "secret-text"}', b"secret-text", pem(odd), locked, b"x" * 70_000):
        file.write_bytes(text)
        with pytest.raises(CommandError) as refused:
            read_key(file, None)
        assert refused.value.exit_code is ExitCode.USAGE
        assert "secret-text" not in refused.value.detail
        assert refused.value.__cause__ is None
    with pytest.raises(CommandError):
        read_key(tmp_path / "missing", None)


@pytest.mark.parametrize(("text", "secret"), [("s\n", "s"), ("s\r\n", "s"), (" s ", " s "), ("s\n\n", "s\n")])
def test_one_line_end_after_a_secret_is_not_part_of_it(tmp_path: Path, text: str, secret: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(text.encode())
    assert read_secret(file).reveal() == secret


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("\n")
    with pytest.raises(CommandError, match="contains no secret"):
        read_secret(file)
    assert read_secret(file, may_be_empty=True).reveal() == ""
