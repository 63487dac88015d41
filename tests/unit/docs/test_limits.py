"""The page of limits names every setting of one, the current values, and existing tests."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from keyturn.admin_cli import servers
from keyturn.agent.tokens import MAX_KINDS
from keyturn.migrate import keycloak
from keyturn.migrate.compare import side
from keyturn.probe import node_requests, targets
from keyturn.stack.gateway import BODY_BYTES, UPLOAD_BYTES_A_SECOND
from keyturn_credentials.authorization import client_keys
from keyturn_credentials.authorization.endpoints import BODY_LIMIT
from keyturn_credentials.authorization.request_rate import AT_ONCE
from keyturn_credentials.authorization.used_assertions import MAX_OF_ONE
from keyturn_credentials.backup.frames import MAX_FRAME_BYTES
from keyturn_credentials.console.person_routes import LOGOUT_BYTES
from keyturn_credentials.console.routes import SIGN_IN_BYTES
from keyturn_credentials.console.throttle import ALLOWED_FAILURES, WINDOW_SECONDS
from keyturn_credentials.domain import (
    bounds,
    mapper_effects,
    protocol_mappers,
    role_catalogue,
    role_members,
    service_account,
)
from keyturn_credentials.domain.claim_conditions import MAX_CONDITION_CHARACTERS, MAX_CONDITIONS
from keyturn_credentials.domain.client import MAX_TOKEN_LIFESPAN
from keyturn_credentials.domain.client_keys import MAX_REVOKED_KEYS, MAX_REVOKED_UNKNOWN_KEYS
from keyturn_credentials.domain.client_scopes import MAX_REALM_SCOPE_BYTES, MAX_SCOPES
from keyturn_credentials.domain.evaluation_request import (
    MAX_SCOPE_CHARACTERS,
    MAX_TARGET_CHARACTERS,
    MAX_TARGETS,
)
from keyturn_credentials.domain.grants import MAX_GRANT_BYTES
from keyturn_credentials.domain.notice_webhooks import PATIENCE_SECONDS
from keyturn_credentials.domain.realm import MAX_NETWORKS
from keyturn_credentials.domain.realm_keys import MAX_PUBLISHED
from keyturn_credentials.domain.secrets import MAX_OVERLAP_SECONDS, MAX_SECRET_CHARACTERS
from keyturn_credentials.domain.trusted_issuer_changes import MAX_REVOKED
from keyturn_credentials.domain.trusted_issuers import MAX_ISSUERS
from keyturn_credentials.domain.web_origins import MAX_ORIGINS_BYTES
from keyturn_credentials.oidc import provider, refreshed
from keyturn_credentials.oidc.flow import FLOW_SECONDS
from keyturn_credentials.oidc.logout_token import LIFETIME_SECONDS
from keyturn_credentials.oidc.person_claims import MAX_NAME_CHARACTERS
from keyturn_credentials.oidc.role_mapping import MAX_GROUP_CHARACTERS, MAX_GROUPS
from keyturn_credentials.operations import notice_changes, notice_sender, notice_sweep
from keyturn_credentials.operations.access_journal import MAX_KNOWN, MAX_REFUSED, MAX_UNWRITTEN
from keyturn_credentials.operations.realm_import import MAX_CLIENTS
from keyturn_credentials.operations.token_revocation import MAX_REVOKED_TOKENS
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.rotations import MAX_ENDED
from keyturn_credentials.web import (
    audit,
    clients,
    evaluation,
    events,
    expiring_secrets,
    jwks_url_health,
    realm_notices,
    rotations,
)
from keyturn_credentials.web.gate import MAX_WAIT_SECONDS
from keyturn_credentials.web.middlewares import BODY_SECONDS
from keyturn_credentials.web.streams import AUTHORISED_SECONDS, STREAM_SECONDS
from keyturn_shared.certificates.patterns import MAX_CHARACTERS
from keyturn_shared.fleet.refusals import KEPT_SECONDS, MAX_KEPT
from keyturn_shared.http_server import chunks, heads
from keyturn_shared.http_server.asgi_connection import KEEP_ALIVE_SECONDS
from keyturn_shared.http_server.messages import MAX_PIPELINED
from keyturn_shared.jose.compact import MAX_KID_CHARACTERS, MAX_TOKEN_BYTES
from keyturn_shared.jose.key_set import MAX_CANDIDATES, MAX_KEY_SET_BYTES, MAX_KEYS
from keyturn_shared.jose.strict_json import MAX_DEPTH
from keyturn_shared.keystores.limits import MAX_DERIVATION_ROUNDS, MAX_ENTRIES, MAX_FILE_BYTES
from keyturn_shared.network.fetcher import FetchPolicy
from keyturn_shared.network.guarded_backend import MAX_ADDRESSES
from keyturn_shared.network.host_connections import IDLE_SECONDS as IDLE_HOST_SECONDS
from keyturn_shared.network.host_connections import MAX_IDLE_HOSTS, MAX_IDLE_PER_HOST
from keyturn_shared.oauth.certificates.client_certificate import MAX_CERTIFICATE_BYTES, MAX_INTERMEDIATES
from keyturn_shared.oauth.certificates.headers import MAX_CHAIN_BYTES
from keyturn_shared.oauth.claims.token_profile import MAX_COMBINATIONS
from keyturn_shared.oauth.client_authentication.refusals import (
    MAX_OF_ADDRESS,
    MAX_OF_ALL,
    MAX_OF_CLIENT,
)
from keyturn_shared.oauth.client_authentication.secret_cache import CAPACITY
from keyturn_shared.oauth.sender_constraint.dpop import MAX_PROOF_BYTES
from keyturn_shared.oauth.tokens.token_cache import MAX_CACHED_BYTES
from keyturn_shared.projection import MAX_NAME_LENGTH, MAX_PUBLIC_URL_LENGTH, MAX_SUBJECT_LENGTH
from keyturn_shared.runtime.admission import LONGEST_WAIT, SHORTEST_WAIT, WAITING_FOR_EACH_PLACE
from keyturn_shared.tracing.configuration import DEFAULT_QUEUE
from keyturn_shared.tracing.ports import CLOSE_SECONDS
from keyturn_verifier.key_sets.documents import MAX_METADATA_BYTES
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.shadow import other_server, shadow
from keyturn_verifier.web.administrators import ANSWER_SECONDS, MAX_BYTES, MAX_CONCURRENT
from keyturn_verifier.web.protocol import IDLE_SECONDS
from keyturn_verifier.web.verify import MAX_BYTES_WITHOUT_HEADER, MAX_TOKENS

REPOSITORY: Final = Path(__file__).parents[3]
PAGE: Final = (REPOSITORY / "docs" / "limits.md").read_text()
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| what |")
]
KIB, MIB = 1024, 1024 * 1024
SETTINGS: Final[dict[str, Any]] = CredentialsSettings.model_fields | VerifierSettings.model_fields
OF_A_LIMIT: Final = re.compile(
    "limit|max_lifetime|connections_per|cached|request_seconds|handshake|drain|failure_window|min_interval"
    "|pkcs11_seconds"
)

FIGURES: Final[dict[str, tuple[float, ...]]] = {
    "request head": (heads.MAX_HEAD_BYTES,),
    "header fields of a request": (heads.MAX_FIELDS,),
    "chunk line, chunk extensions, trailers": (
        *(chunks.MAX_LINE_BYTES, chunks.MAX_EXTENSION_BYTES),
        *(chunks.MAX_TRAILER_BYTES, chunks.MAX_TRAILERS),
    ),
    "chunks of a body, in addition to one per 64 octets": (chunks.MAX_SMALL_CHUNKS,),
    "body": (BODY_BYTES,),
    "rate at which a connection is read": (UPLOAD_BYTES_A_SECOND,),
    "combinations of scope and resource": (MAX_KINDS,),
    "callers authenticated by secret cached in memory": (CAPACITY,),
    "verified access tokens cached in memory": (MAX_CACHED_BYTES,),
    "requests of one client for its own rotation": (AT_ONCE,),
    "evaluations of one caller, those that test the secret of one client, the body": (
        *(evaluation.EVALUATIONS_A_SECOND, evaluation.EVALUATIONS_AT_ONCE),
        *(evaluation.SECRETS_A_SECOND, evaluation.SECRETS_AT_ONCE, evaluation.MAX_BODY_BYTES),
    ),
    "audiences of an evaluation; characters of each, and of its scopes": (
        *(MAX_TARGETS, MAX_TARGET_CHARACTERS, MAX_SCOPE_CHARACTERS),
    ),
    "an idle connection": (IDLE_SECONDS, KEEP_ALIVE_SECONDS),
    "a page of clients, events, the audit log, rotations, expiring secrets": (
        *(clients.MAX_PAGE, events.MAX_PAGE, audit.MAX_PAGE, rotations.MAX_PAGE, expiring_secrets.MAX_PAGE),
    ),
    "body of a request without a token": (),
    "a page of notices": (realm_notices.MAX_PAGE,),
    "open [notices](notices.md) of one kind in a realm": (notice_changes.MAX_OPEN,),
    "clients that a step of the notices reads": (notice_sweep.PAGE,),
    "webhooks about notices: at the same time, time for each, time for which one is tried": (
        *(notice_sender.AT_ONCE, notice_sender.REQUEST_SECONDS),
        PATIENCE_SECONDS,
    ),
    "spans that wait to be exported; time for an export; time for the last ones of a process": (
        *(DEFAULT_QUEUE, CLOSE_SECONDS),
    ),
    "a page of JWKS URLs": (jwks_url_health.MAX_PAGE,),
    "body of `/verify` without an `Authorization` header": (MAX_BYTES_WITHOUT_HEADER,),
    "body of a console sign-in": (SIGN_IN_BYTES,),
    "body of a request to the administrators' token endpoint": (BODY_LIMIT,),
    "time to send a request": (BODY_SECONDS,),
    "pipelined requests waiting on one connection": (MAX_PIPELINED,),
    "revoked, unexpired tokens of one client": (MAX_REVOKED_TOKENS,),
    "forwarded requests of administrators at the same time, time for each": (MAX_CONCURRENT, ANSWER_SECONDS),
    "response to such a request": (MAX_BYTES,),
    "questions of the shadow mode: waiting, at a time, time and length of an answer": (
        *(shadow.MAX_WAITING, shadow.WORKERS),
        *(other_server.ANSWER_SECONDS, other_server.MAX_BYTES),
    ),
    "a node's response to [`keyturn probe`](probe.md): length, time; nodes asked in a round": (
        *(node_requests.MAX_BYTES, node_requests.REQUEST_SECONDS, targets.MAX_NODES),
    ),
    "a [command for administrators](command-line.md): length of an answer; time for it, besides its wait": (
        servers.MAX_BYTES,
        servers.CALL_SECONDS,
    ),
    "an answer that `keyturn migrate` reads: of a Keycloak's admin API, of a side that it compares": (
        *(keycloak.MAX_BYTES, side.MAX_BYTES),
    ),
    "stored used assertions of one administrator": (MAX_OF_ONE,),
    "overlap chosen for one new secret": (MAX_OVERLAP_SECONDS // 86_400,),
    "different refused sign-ins to the console in the audit log, in five minutes": (MAX_REFUSED,),
    "other accesses in the audit log, in five minutes; those that wait for the database": (
        *(MAX_KNOWN, MAX_UNWRITTEN),
    ),
    "refused authentications recorded by a process in a minute: of one client, from one address, in all": (
        *(MAX_OF_CLIENT, MAX_OF_ADDRESS, MAX_OF_ALL),
    ),
    "refused authentications kept in Redis": (MAX_KEPT, KEPT_SECONDS // 86_400),
    "failed console sign-ins at one address": (ALLOWED_FAILURES, WINDOW_SECONDS),
    "a person's sign-in at the identity provider, until its answer": (FLOW_SECONDS,),
    "groups with admin roles; characters of a name": (MAX_GROUPS, MAX_GROUP_CHARACTERS),
    "characters of a person's displayed name": (MAX_NAME_CHARACTERS,),
    "an answer of the identity provider about a person; its discovery document and keys; time": (
        *(provider.MAX_ANSWER_BYTES, provider.MAX_DOCUMENT_BYTES, provider.ANSWER_SECONDS),
    ),
    "fetches of its keys for an unknown `kid`; requests that wait for the next one": (
        *(refreshed.LEAST_INTERVAL, refreshed.MAX_WAITING),
    ),
    "body of a back-channel logout; age of its token": (LOGOUT_BYTES, LIFETIME_SECONDS),
    "requests at work; waiting for a place; of clients for their own rotations": (
        *(CredentialsSettings.model_fields["request_limit"].default, WAITING_FOR_EACH_PLACE),
    ),
    "a wait for a place; while the queue does not empty for a second": (LONGEST_WAIT, SHORTEST_WAIT),
    "a stream since its caller was last authenticated": (AUTHORISED_SECONDS,),
    "a stream": (STREAM_SECONDS,),
    "a wait for the fleet (`Prefer: wait`)": (MAX_WAIT_SECONDS,),
    "tokens in one `/verify`": (MAX_TOKENS,),
    "a token": (MAX_TOKEN_BYTES,),
    "a `kid`": (MAX_KID_CHARACTERS,),
    "keys tried for one token": (MAX_CANDIDATES,),
    "a DPoP proof": (MAX_PROOF_BYTES,),
    "a client's certificate, its chain": (MAX_CERTIFICATE_BYTES, MAX_INTERMEDIATES, MAX_CHAIN_BYTES),
    "the response of a JWKS URL": (FetchPolicy().max_bytes, MAX_KEYS),
    "idle connections kept to JWKS servers": (MAX_IDLE_PER_HOST, MAX_IDLE_HOSTS, IDLE_HOST_SECONDS),
    "addresses tried for a JWKS URL's host name": (MAX_ADDRESSES,),
    "duration of a JWKS URL fetch": (FetchPolicy().total_seconds, KeySetPolicy().fetch_timeout),
    "requests waiting for key sets": (KeySetPolicy().waiters_per_url, KeySetPolicy().waiters),
    "rotations that have ended, kept for each client": (MAX_ENDED,),
    "published signing keys of a realm, for each purpose": (MAX_PUBLISHED,),
    "inline keys of a client": (MAX_KEYS, MAX_KEY_SET_BYTES),
    "revoked keys of a client": (MAX_REVOKED_KEYS, MAX_REVOKED_UNKNOWN_KEYS),
    "a client's own scopes and audiences together, as JSON": (MAX_GRANT_BYTES,),
    "a secret": (MAX_SECRET_CHARACTERS,),
    "a client id, a realm's name": (MAX_NAME_LENGTH,),
    "the public URL": (MAX_PUBLIC_URL_LENGTH,),
    "entries of `redirectUris`, `webOrigins` and the scope lists": (
        *(bounds.MAX_ENTRIES, bounds.MAX_ENTRY_BYTES),
    ),
    "a text such as `description`": (bounds.MAX_TEXT_BYTES,),
    "attributes": (bounds.MAX_ATTRIBUTES, bounds.MAX_ATTRIBUTE_BYTES, bounds.MAX_ATTRIBUTES_BYTES),
    "all other members of a client or realm, as JSON": (bounds.MAX_DOCUMENT_BYTES,),
    "requests waiting for key sets of administrators": (
        client_keys.MAX_WAITING_OF_REALM,
        client_keys.MAX_WAITING,
        client_keys.MAX_CONCURRENT_OF_REALM,
        client_keys.MAX_CONCURRENT,
    ),
    "client scopes of a realm; names of its default and optional ones": (MAX_SCOPES, MAX_REALM_SCOPE_BYTES),
    "protocol mappers of a client or a client scope": (
        *(protocol_mappers.MAX_MAPPERS, protocol_mappers.MAX_MAPPER_BYTES),
        *(protocol_mappers.MAX_CLIENT_BYTES, protocol_mappers.MAX_REALM_BYTES),
    ),
    "name of a mapped claim": (mapper_effects.MAX_CLAIM_NAME, mapper_effects.MAX_CLAIM_PARTS),
    "depth of a mapped claim, with the parts of its name": (MAX_DEPTH,),
    "claim `allowed-origins`, as JSON": (MAX_ORIGINS_BYTES,),
    "kept combinations of optional scopes with mappers, of one client": (MAX_COMBINATIONS,),
    "roles of a realm and its clients": (
        *(role_catalogue.MAX_ROLES, role_catalogue.MAX_NAME),
        *(role_catalogue.MAX_COMPOSITES, role_catalogue.MAX_COMPOSED_BYTES),
    ),
    "attributes of a role": (role_members.MAX_ROLE_ATTRIBUTES, bounds.MAX_TEXT_BYTES),
    "roles that a service account is given": (service_account.MAX_ROLES,),
    "an access token": (MAX_TOKEN_BYTES,),
    "identity providers of a realm; revoked keys of one, and revoked subjects": (MAX_ISSUERS, MAX_REVOKED),
    "conditions, and audiences, of a client or an identity provider; characters of each": (
        MAX_CONDITIONS,
        MAX_CONDITION_CHARACTERS,
    ),
    "subject of an assertion by a trusted issuer, in characters": (MAX_SUBJECT_LENGTH,),
    "metadata of an issuer": (MAX_METADATA_BYTES,),
    "private networks of a realm": (MAX_NETWORKS,),
    "clients created together with a realm": (MAX_CLIENTS,),
    "lifetime of access tokens": (MAX_TOKEN_LIFESPAN,),
    "a part of a [backup](operations.md#backup), which is all that is in memory at a time": (
        MAX_FRAME_BYTES,
    ),
    "an archive of keys (PKCS #12, JKS)": (MAX_FILE_BYTES, MAX_ENTRIES, MAX_DERIVATION_ROUNDS),
    "a pattern for certificate names": (MAX_CHARACTERS,),
}


def shown(figure: float) -> re.Pattern[str]:
    """Return a pattern of the number as the page may write it."""
    forms = [f"{figure:g}" if figure < 1_000_000 else f"{figure:.0f}"]
    forms += [f"{figure / unit:g} {name}" for unit, name in ((KIB, "KiB"), (MIB, "MiB")) if not figure % unit]
    return re.compile(rf"(?<![\d.])({'|'.join(map(re.escape, forms))})(?![\d.])")


def named_tests(row: list[str]) -> list[tuple[str, str]]:
    return re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[5])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_limit_is_held_by_tests_that_are_there(row: list[str]) -> None:
    assert len(row) == 6
    named = named_tests(row)
    assert named
    assert len(named) == row[5].count("`") // 2
    for path, name in named:
        source = (REPOSITORY / path).read_text()
        assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), (path, name)


def test_every_setting_of_a_limit_is_on_the_page_with_its_default() -> None:
    named = {name: row for row in ROWS for name in re.findall(r"`KEYTURN_(\w+)`", row[3])}
    limits = {name.upper() for name in SETTINGS if OF_A_LIMIT.search(name)}
    assert named.keys() == limits
    for settings in (CredentialsSettings, VerifierSettings):
        for name, field in settings.model_fields.items():
            if name.upper() in limits:
                row = named[name.upper()]
                assert shown(field.default).search(f"{row[1]} {row[2]}"), (settings, name, field.default)


def test_a_limit_that_no_setting_has_is_one_in_the_code() -> None:
    assert {row[0] for row in ROWS if not row[3]} <= FIGURES.keys()


@pytest.mark.parametrize("what", FIGURES)
def test_the_figures_are_those_in_force(what: str) -> None:
    (row,) = (row for row in ROWS if row[0] == what)
    for figure in FIGURES[what]:
        assert shown(figure).search(f"{row[1]} {row[2]}"), figure


@pytest.mark.parametrize("page", ["README.md", "docs/security.md", "docs/configuration.md"])
def test_readers_find_the_page(page: str) -> None:
    assert "limits.md" in (REPOSITORY / page).read_text(), page
