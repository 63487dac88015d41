"""The environment variables that keyturn's programs know, and those that look like a mistake."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

PREFIX: Final = "KEYTURN_"
FILE: Final = "_FILE"

_SETTINGS: Final = """
assertion_max_lifetime audit_retention_days bootstrap_admin_client_id bootstrap_admin_client_secret
cached_clients cached_tokens client_authorities_path client_cert_form client_cert_header
client_cert_proxies clock_skew connection_limit connections_per_address console_oidc_allowed_networks
console_oidc_ca_file console_oidc_client_id console_oidc_client_key console_oidc_client_secret
console_oidc_groups_claim console_oidc_issuer console_oidc_name console_oidc_name_claim
console_oidc_only console_oidc_roles console_oidc_scopes console_oidc_session_seconds
credentials_ca_file credentials_url database_pool_size database_url default_wait_seconds dpop_nonces
drain_seconds encryption_keys event_retention_days failure_limit_address failure_limit_client failure_window
fetcher_enabled fetcher_keys fetcher_verification_keys fleet_keys handshake_seconds host
jwks_allowed_networks jwks_ca_file jwks_min_interval jwks_new_key_seconds jwks_proxy
jwks_proxy_resolves lease_margin_seconds lease_seconds log_level log_signing_keys
log_verification_keys max_lease_seconds max_staleness mtls_url node_id node_url
notices_allowed_networks notices_check_seconds notices_webhook_secret notices_webhook_url partitions
pkcs11_module pkcs11_pin_file pkcs11_seconds pkcs11_serial pkcs11_token port
public_url realm_keys realm_seals redis_url renewal_seconds request_body_limit request_limit
request_seconds rotation_check_seconds serve_stale shadow_allow_http shadow_ca_file shadow_client_id
shadow_client_secret shadow_share shadow_url stream_limit stream_limit_client tls_certificate_path
tls_key_path tracing trusted_proxies verify_body_limit workers
"""
SETTINGS: Final = frozenset(_SETTINGS.split())
"""Settings of the services. It is a list, because the services' own code may not be installed."""

_OF_OTHERS: Final = frozenset({"agent_secret", "front_subnet", "migrate_admin_secret", "profile"})
"""Variables of the agent, compose.yaml and the commands."""

_OF_KUBERNETES: Final = re.compile(
    r"(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
"""Variables that Kubernetes sets for a Service named ``keyturn`` or ``keyturn-…`` (service links)."""
_LINK: Final = re.compile(r"(?:tcp|udp|sctp)://")


def is_setting(variable: str) -> bool:
    """Return whether this is itself the name of a setting, even if it ends with ``_FILE``."""
    return variable.upper().removeprefix(PREFIX).lower() in SETTINGS


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence about each variable with keyturn's prefix that no program of keyturn reads. One
    environment may serve several programs, so a variable of another one is known."""
    return [
        f"{name}: no program of keyturn reads this variable{_advice(name)}"
        for name in sorted(environment)
        if name.upper().startswith(PREFIX) and not _is_known(name, environment[name])
    ]


def _is_known(name: str, value: str) -> bool:
    rest = name.upper().removeprefix(PREFIX)
    if _OF_KUBERNETES.fullmatch(rest) or (rest.endswith("_PORT") and _LINK.match(value)):
        return True
    known = SETTINGS | _OF_OTHERS
    return rest.lower() in known or rest.removesuffix(FILE).lower() in known


def _advice(name: str) -> str:
    nearest = _nearest(name.upper().removeprefix(PREFIX), (each.upper() for each in SETTINGS | _OF_OTHERS))
    return "" if nearest is None else f"; did you mean {PREFIX}{nearest}?"


def _nearest(text: str, names: Iterable[str]) -> str | None:
    bare = text.removesuffix(FILE)
    found = get_close_matches(bare, sorted(names), n=1, cutoff=0.7)
    if not found:
        return None
    return found[0] + (FILE if text != bare else "")
