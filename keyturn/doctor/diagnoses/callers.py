"""Findings about what callers depend on: nodes, key sets, credentials that end, the gateway."""

from typing import Final

from keyturn.doctor.diagnoses.catalogue import Catalogue
from keyturn_credentials.domain import notice_kinds

_catalogue = Catalogue()
_problem, _warning = _catalogue.problem, _catalogue.warning

# fleet
FLEET_EMPTY: Final = _problem(
    "fleet_empty",
    "No verifier node has joined: nobody answers token requests.",
    "Start nodes, and check that they use the same KEYTURN_REDIS_URL.",
)
NODE_BEHIND: Final = _problem(
    "node_behind",
    "The node renews its lease and has not applied the newest changes. It is fenced when its lease ends.",
    "Look at the node's log. Restart it if it does not catch up.",
)
NODE_FENCED: Final = _problem(
    "node_fenced",
    "The node does not renew its lease: it ended without leaving, hangs, or does not reach Redis.",
    "Look at the node's log, and restart it. If it is gone for good, its record ends after ten minutes.",
)
NODE_SERVES_STALE: Final = _warning(
    "node_serves_stale",
    "KEYTURN_SERVE_STALE is set: without a lease, the node goes on accepting what was revoked.",
    "Remove the setting, unless availability is worth more than revocation there.",
)
NODE_ANSWERS_STALE: Final = _problem(
    "node_answers_stale",
    "The node has no lease and answers all the same: it may accept what was revoked.",
    "Take the node out of the gateway until it reaches Redis again.",
)
NODE_OTHER_FLEET_KEY: Final = _problem(
    "node_other_fleet_key",
    "The node cannot decrypt what the credentials service seals: its clients get 429.",
    "Give the node the same KEYTURN_FLEET_KEYS, and restart it.",
)
NODE_OTHER_RELEASE: Final = _warning(
    "node_other_release",
    "The node runs another release. During an upgrade this is expected.",
    "Complete the upgrade: restart the node with this release.",
)
NODE_CLOCK_DIFFERS: Final = _warning(
    "node_clock_differs",
    "The node may refuse assertions and tokens as too old or too new.",
    "Synchronise the node's clock with NTP.",
)
NODE_RECORD_UNREADABLE: Final = _warning(
    "node_record_unreadable",
    "Something other than keyturn has written to the registry of nodes. Waits take longer meanwhile.",
    "Check who has passwords of Redis, and ACL LOG. The relay removes the record after ten minutes.",
)

# partitions
PARTITIONS_DIFFER: Final = _warning(
    "partitions_differ",
    "The instance that relays has another KEYTURN_PARTITIONS. The number changes with each new relay.",
    "Set the same KEYTURN_PARTITIONS on every process of the credentials service, and restart them in turn.",
)
NODE_OTHER_PARTITIONS: Final = _problem(
    "node_other_partitions",
    "The node does not use the partitions that the relay has stated, so it cannot hold a lease for long.",
    "Look at the node's log, and restart it. If it is of an older release, upgrade it.",
)
PARTITION_UNREACHABLE: Final = _problem(
    "partition_unreachable",
    "Used assertions cannot be marked there, so assertions of these partitions are refused (503).",
    "Bring the server of Redis back, or let a replica take over (docs/operations.md, Past one shard).",
)
PARTITION_NOT_VOUCHED: Final = _problem(
    "partition_not_vouched",
    "Redis has lost its marks of used assertions and no relay has vouched for it since: assertions of these"
    " partitions are refused (503).",
    "Start the credentials service. If it runs, see why in its log and by keyturn_partition_vouched.",
)
PARTITION_MEMORY_AWAITED: Final = _warning(
    "partition_memory_awaited",
    "Redis has lost marks, and a node has not brought its own: assertions from before are refused.",
    "Look at the log of the nodes that are named, and restart them.",
)
PARTITION_BARRIER_AHEAD: Final = _problem(
    "partition_barrier_ahead",
    "The replay barrier is later than the clock of this Redis: all assertions of the partition are refused.",
    "Synchronise the clocks of all servers of Redis with NTP. It ends when the clock has passed the barrier.",
)

# key sets
_catalogue.include(*notice_kinds.OF_KEY_SETS)
FETCHER_ABSENT: Final = _problem(
    "fetcher_absent",
    "JWKS URLs are due and nobody fetches them: new keys of clients are not noticed.",
    "Start keyturn fetcher, or set KEYTURN_FETCHER_ENABLED=true on some nodes.",
)

# expiry
_catalogue.include(*notice_kinds.OF_EXPIRY)

# sign-in
IDENTITY_PROVIDER_UNUSABLE: Final = _problem(
    "identity_provider_unusable",
    "Persons cannot sign in to the console. Clients with admin roles can.",
    "Check the provider, KEYTURN_CONSOLE_OIDC_ISSUER, and whether this machine may connect to it.",
)
CONSOLE_CLOSED: Final = _problem(
    "console_closed",
    "Nobody can sign in to the console: KEYTURN_CONSOLE_OIDC_ONLY excludes clients, and the provider fails.",
    "Bring the provider back. Until then, remove KEYTURN_CONSOLE_OIDC_ONLY if somebody has to sign in.",
)

# gateway
GATEWAY_UNREACHABLE: Final = _problem(
    "gateway_unreachable",
    "Callers do not reach keyturn at its public URL; or only this machine does not.",
    "Check the gateway, DNS and KEYTURN_PUBLIC_URL. See whether this machine may connect to it at all.",
)
GATEWAY_CERTIFICATE_INVALID: Final = _problem(
    "gateway_certificate_invalid",
    "Callers refuse to connect to the public URL.",
    "Renew the gateway's certificate. For a private authority, set SSL_CERT_FILE for this command.",
)
GATEWAY_CERTIFICATE_ENDING: Final = _warning(
    "gateway_certificate_ending",
    "When it ends, callers refuse to connect to the public URL.",
    "Renew the gateway's certificate, and see why that has not happened by itself.",
)
GATEWAY_ISSUER_WRONG: Final = _problem(
    "gateway_issuer_wrong",
    "Discovery is missing or names another issuer: clients and resource servers refuse the tokens.",
    "Set the same KEYTURN_PUBLIC_URL on every process, and let the gateway send /realms to the nodes.",
)
GATEWAY_TOKEN_ROUTE: Final = _problem(
    "gateway_token_route",
    "Token requests do not reach a verifier node.",
    "Let the gateway send /realms to the nodes (docs/gateways).",
)
GATEWAY_KEY_SET_WRONG: Final = _problem(
    "gateway_key_set_wrong",
    "Resource servers do not get the key that signs the realm's tokens, and refuse them.",
    "Let the gateway send /realms to the nodes of this installation, and do not cache for over a minute.",
)
GATEWAY_ROTATION_ROUTE: Final = _problem(
    "gateway_rotation_route",
    "Clients cannot take the secrets of their rotations.",
    "Let the gateway send /realms/{realm}/rotation to the credentials service (docs/gateways).",
)
GATEWAY_ADMIN_ROUTE: Final = _problem(
    "gateway_admin_route",
    "Administrators and the console do not reach the credentials service.",
    "Let the gateway send /admin and /console to the credentials service (docs/gateways).",
)
GATEWAY_PASSES_CERTIFICATES: Final = _problem(
    "gateway_passes_certificates",
    "Anyone can present any client's certificate without its key.",
    "Let the gateway strip the certificate headers of its callers (docs/gateways), at once.",
)
GATEWAY_PASSES_ADDRESSES: Final = _problem(
    "gateway_passes_addresses",
    "Callers choose the address that failures count for, and that the audit log shows.",
    "Let the gateway overwrite X-Forwarded-For (docs/gateways). If this machine is itself in"
    " KEYTURN_TRUSTED_PROXIES, repeat the check elsewhere first.",
)
CREDENTIALS_NOT_READY: Final = _problem(
    "credentials_not_ready",
    "The credentials service cannot commit changes.",
    "Remove the reason that it names.",
)
CREDENTIALS_DEGRADED: Final = _warning(
    "credentials_degraded",
    "Changes are committed and may not reach the nodes.",
    "Remove the reason that the credentials service names.",
)

ALL: Final = _catalogue.diagnoses
"""All of them, in the order of the page."""
