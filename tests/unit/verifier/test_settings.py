"""Invalid settings of a node are named in one line, before anything starts."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_verifier.settings import FetcherSettings, ResourceServerSettings, VerifierSettings
from tests.testkit.certificates import issue

KEYS = KeyRing.generate_key()


def settings(**values: Any) -> VerifierSettings:
    return VerifierSettings(fleet_keys=SecretStr(KEYS), **values)


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
    assert settings().server_tls() is None
    used = settings(tls_certificate_path=certificate, tls_key_path=key)
    assert used.server_tls() is not None
    with pytest.raises(ConfigurationError, match="must be set together"):
        settings(tls_certificate_path=certificate)
    key.write_bytes(other.key_pem)
    with pytest.raises(ConfigurationError, match="KEYTURN_TLS_CERTIFICATE_PATH"):
        used.server_tls()
    certificate.write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match="KEYTURN_TLS_CERTIFICATE_PATH"):
        used.server_tls()


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
    assert settings(**values).certificate_capabilities().methods == methods


def test_a_fetcher_of_its_own_needs_a_fetchers_key_alone() -> None:
    fetcher = FetcherSettings(fetcher_keys=SecretStr(LogSigningKeys.generate_key()))
    assert fetcher.key_set_seal().signs
    with pytest.raises(ConfigurationError, match="KEYTURN_FETCHER_KEYS"):
        FetcherSettings(fetcher_keys=None)
    with pytest.raises(ConfigurationError, match="signing key"):
        FetcherSettings(fetcher_keys=SecretStr("short"))


def test_who_has_no_fetchers_key_stores_no_key_sets() -> None:
    reader = ResourceServerSettings(log_verification_keys=LogSigningKeys([b"l" * 32]).public_keys)
    assert not reader.key_set_seal().signs
    assert settings().key_set_seal().signs


def test_the_fetchers_that_realms_name_are_those_of_the_fleet_keys_unless_told_otherwise() -> None:
    """A node's default signing keys are the credentials service's default fetcher keys."""
    service = CredentialsSettings(encryption_keys=SecretStr(KEYS), fleet_keys=SecretStr(KEYS))
    record = KeySetRecord(url="https://a.example/jwks")
    readers = FetcherKeys()
    readers.learn(service.named_fetcher_keys())
    value = settings().key_set_seal().write(record)
    assert KeySetSeal(None, readers).read(record.address.id, value) == record


def test_a_node_with_realm_keys_needs_the_logs_public_keys_and_no_other_secret() -> None:
    keys = FleetRing.read(KEYS).keys_of("acme")
    public = LogSigningKeys.from_text(LogSigningKeys.generate_key()).public_keys
    limited = VerifierSettings(realm_keys=SecretStr(keys), log_verification_keys=public)
    rings = limited.require_realm_rings()
    assert rings.find("acme") is not None
    assert rings.find("other") is None
    assert not limited.key_set_seal().signs
    with pytest.raises(ConfigurationError, match=r"^KEYTURN_LOG_VERIFICATION_KEYS: required, but not set$"):
        VerifierSettings(realm_keys=SecretStr(keys))


@pytest.mark.parametrize("kind", [VerifierSettings, ResourceServerSettings])
def test_realm_keys_beside_the_fleet_keys_would_limit_nothing_and_are_refused(
    kind: type[VerifierSettings],
) -> None:
    keys = SecretStr(FleetRing.read(KEYS).keys_of("acme"))
    with pytest.raises(ConfigurationError, match=r"^KEYTURN_REALM_KEYS and KEYTURN_FLEET_KEYS are both set"):
        kind(fleet_keys=SecretStr(KEYS), realm_keys=keys)


def test_realm_keys_that_are_none_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigurationError, match=r"^KEYTURN_REALM_KEYS: not what") as refused:
        VerifierSettings(realm_keys=SecretStr(KEYS), log_verification_keys=KEYS)
    assert KEYS not in refused.value.detail
    assert "\n" not in refused.value.detail


def test_a_node_without_any_keys_is_told_so() -> None:
    with pytest.raises(ConfigurationError, match=r"^KEYTURN_FLEET_KEYS: required, but not set$"):
        VerifierSettings()


@pytest.mark.parametrize(
    "url", ["https://id.example.com", "http://127.0.0.1:8080", "http://[::1]", "http://localhost"]
)
def test_a_shadow_on_this_machine_or_behind_tls_is_asked(url: str) -> None:
    assert str(shadowed(url).shadow_url).startswith(url)


def test_tokens_go_to_a_shadow_in_clear_text_only_if_that_is_said() -> None:
    for url in ("http://id.example.com", "http://10.0.0.1", "http://localhost.example.com"):
        with pytest.raises(ConfigurationError, match="KEYTURN_SHADOW_ALLOW_HTTP"):
            shadowed(url)
        assert shadowed(url, shadow_allow_http=True).shadow_url is not None


def shadowed(url: str, **values: Any) -> VerifierSettings:
    return settings(shadow_url=url, shadow_client_id="shadow", shadow_client_secret=SecretStr("s"), **values)
