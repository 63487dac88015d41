"""A key in a real token signs, whatever happens to its session."""

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11.constants import Attribute, CertificateType, ObjectClass

from keyturn import ClientCredentials, Signer, SignerError
from keyturn.client.signer import TokenSigner, verification_key_of
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from tests.integration.pkcs11.conftest import Token
from tests.integration.pkcs11.signatures import USUAL, assert_signs
from tests.testkit.key_material import issued, key_pair
from tests.testkit.key_server import ISSUER, KeyServer
from tests.testkit.softhsm import PIN
from tests.testkit.tools import REPOSITORY

KEY_OF = {"RS": "RSA-2048", "PS": "RSA-2048", "ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


@pytest.mark.parametrize("alg", SIGNATURE_ALGORITHMS)
def test_every_algorithm_makes_signatures_that_another_library_verifies(token: Token, alg: str) -> None:
    token.make_key(KEY_OF.get(alg) or KEY_OF.get(alg[:2]) or "Ed25519")
    signer = token.signer(algorithm=alg)
    assert isinstance(signer, Signer)
    assert isinstance(signer, TokenSigner)
    assert (signer.algorithm, signer.kid) == (alg, verification_key_of(signer).thumbprint)
    for _ in range(3):
        assert_signs(signer)


@pytest.mark.parametrize("kind", USUAL)
def test_the_usual_algorithm_of_a_key_needs_no_name(token: Token, kind: str) -> None:
    token.make_key(kind)
    assert token.signer().algorithm == USUAL[kind]
    assert token.signer(kid="mine").kid == "mine"


def test_token_and_key_have_several_names(token: Token) -> None:
    token.make_key("P-256", "orders", b"\x01")
    token.make_key("P-256", "stock", b"\xab\xcd")
    orders, stock = token.signer(), token.signer(key="stock")
    assert orders.kid != stock.kid
    assert token.signer(key=None, key_id="01").kid == orders.kid
    assert (
        token.signer(key=None, key_id="ABCD").kid == token.signer(key="stock", key_id="abcd").kid == stock.kid
    )
    with token.session() as session:
        serial = session.token.serial.decode()
    assert token.signer(token=None, serial=serial).kid == orders.kid


def test_the_pin_comes_from_a_file_or_a_function(token: Token) -> None:
    token.make_key("P-256")
    assert token.signer(pin=lambda: PIN).kid == token.signer().kid


def test_a_certificate_has_the_public_key_if_nothing_else_has_it(token: Token) -> None:
    token.make_key("P-256")
    with token.session() as session:
        (public,) = token.objects(session, ObjectClass.PUBLIC_KEY)
        kid = token.signer().kid
    certificate = _certificate_over(token)
    with token.session() as session:
        (public,) = token.objects(session, ObjectClass.PUBLIC_KEY)
        public.destroy()
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.CERTIFICATE,
                Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                Attribute.TOKEN: True,
                Attribute.ID: b"\x01",
                Attribute.SUBJECT: certificate.subject.public_bytes(),
                Attribute.VALUE: certificate.public_bytes(Encoding.DER),
            }
        )
    signer = token.signer()
    assert signer.kid == kid
    assert_signs(signer)


def _certificate_over(token: Token) -> x509.Certificate:
    """Issue a certificate over the key of the token."""
    public_key = verification_key_of(token.signer()).public_key
    issuer = issued("issuer", "issuer")
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(issuer.subject).issuer_name(issuer.subject)
    builder = builder.public_key(public_key).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    private_key = key_pair().reveal()
    return builder.sign(private_key, issuer.signature_hash_algorithm)  # type: ignore[arg-type]  # it is SHA-256


def test_a_key_that_wants_its_pin_each_time_gets_it(token: Token) -> None:
    token.make_key("P-256", ALWAYS_AUTHENTICATE=True)
    signer = token.signer()
    for _ in range(2):
        assert_signs(signer)


def test_a_closed_session_is_opened_again(token: Token) -> None:
    token.make_key("P-256")
    signer = token.signer()
    token.session().close()  # initializes the module again, and logs out
    assert_signs(signer)
    pkcs11.lib(str(token.hsm.module)).finalize()
    assert_signs(signer)


def test_a_token_that_was_removed_signs_again_when_it_is_back(token: Token) -> None:
    token.make_key("P-256")
    signer = token.signer()
    with token.hsm.without_tokens():
        for _ in range(2):
            with pytest.raises(SignerError) as refused:
                signer.sign(b"data")
            assert refused.value.detail == f"{token.hsm.module} has no token {token.label!r}"
    assert_signs(signer)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of Python 3.12, for processes with threads
def test_a_forked_process_signs_too(token: Token) -> None:
    token.make_key("P-256")
    signer = token.signer()
    child = os.fork()
    if child == 0:
        try:
            assert_signs(signer)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert_signs(signer)


def test_threads_take_turns_also_with_two_signers_of_one_token(token: Token) -> None:
    token.make_key("P-256")
    token.make_key("RSA-2048", "stock", b"\x02")
    signers = [token.signer(), token.signer(key="stock"), token.signer()]
    begin = threading.Barrier(6)

    def work(number: int) -> None:
        begin.wait()
        for _ in range(20):
            assert_signs(signers[number % len(signers)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))


async def test_a_client_gets_tokens_with_it(token: Token) -> None:
    token.make_key("RSA-2048")
    signer = token.signer(algorithm="PS256")
    server = KeyServer(dict(signer.public_jwk))
    credentials = ClientCredentials(ISSUER, "worker", signer, now=lambda: server.now)
    async with server.http() as http:
        assert (await credentials.token(http)).text == f"token of {signer.kid}"
    assert server.refused == []


async def test_the_example_of_the_page_gets_a_token(token: Token, tmp_path: Path) -> None:
    token.make_key("P-256")
    page = (REPOSITORY / "docs" / "clients.md").read_text()
    (example,) = (
        each for each in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "Pkcs11Signer" in each
    )
    for named, actual in (
        ("/usr/lib/softhsm/libsofthsm2.so", token.hsm.module),
        ('token="orders"', f'token="{token.label}"'),
        ("/etc/orders/pin", token.pin_file),
        ("/var/lib/orders/keys.json", tmp_path / "keys.json"),
    ):
        assert named in example
        example = example.replace(named, str(actual))
    names: dict[str, Any] = {}
    exec(compile(example, "docs/clients.md", "exec"), names)
    assert names["keys"].signing.kid == token.signer().kid
    assert b"client_assertion" in names["credentials"].token_request().content
