"""Settings of a node that cannot be used are named in one line, before anything starts."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing
from keyturn_verifier.process import _tls
from keyturn_verifier.settings import VerifierSettings
from tests.support.certificates import issue

KEYS = KeyRing.generate_key()


def settings(**values: object) -> VerifierSettings:
    return VerifierSettings(fleet_keys=KEYS, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["trusted_proxies", "client_cert_proxies", "jwks_allowed_networks"])
def test_networks_are_read_and_what_is_none_is_named(name: str) -> None:
    read = settings(**{name: "192.0.2.1, 2001:db8::/32,"})
    assert [str(network) for network in getattr(read, name)] == ["192.0.2.1/32", "2001:db8::/32"]
    for wrong in ("*", "10.0.0.1/8", "gateway"):
        with pytest.raises(ValidationError) as refused:
            settings(**{name: wrong})
        (error,) = refused.value.errors()
        assert error["loc"] == (name,)
        assert repr(wrong) in error["msg"]


def test_a_header_goes_with_its_form_unless_it_is_named() -> None:
    assert settings().certificate_header().name == b"client-cert"
    assert settings(client_cert_form="pem").certificate_header().name == b"ssl-client-cert"
    named = settings(client_cert_form="pem", client_cert_header="X-Forwarded-Tls-Client-Cert")
    assert named.certificate_header().name == b"x-forwarded-tls-client-cert"


def test_tls_needs_a_certificate_and_the_key_of_it(tmp_path: Path) -> None:
    one, other = issue(None), issue(None)
    certificate, key = tmp_path / "a.pem", tmp_path / "a.key"
    certificate.write_bytes(one.pem)
    key.write_bytes(one.key_pem)
    assert _tls(settings()) == {}
    used = settings(tls_certificate_path=certificate, tls_key_path=key)
    assert set(_tls(used)) == {"ssl_certfile", "ssl_keyfile"}
    with pytest.raises(ConfigurationError, match="go together"):
        settings(tls_certificate_path=certificate)
    key.write_bytes(other.key_pem)
    with pytest.raises(ConfigurationError, match="KEYTURN_TLS_CERTIFICATE_PATH"):
        _tls(used)
    certificate.write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match="KEYTURN_TLS_CERTIFICATE_PATH"):
        _tls(used)


@pytest.mark.parametrize(
    ("values", "methods"),
    [
        ({}, ()),
        ({"client_cert_proxies": "127.0.0.1"}, ("self_signed_tls_client_auth",)),
    ],
)
def test_a_node_names_the_methods_it_can_see_certificates_for(
    values: dict[str, object], methods: tuple[str, ...]
) -> None:
    assert settings(**values).certificate_abilities().methods == methods
