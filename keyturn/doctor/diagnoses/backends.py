"""Findings about settings, the database, Redis and the relay, and about checks themselves."""

from typing import Final

from keyturn.doctor.diagnoses.catalogue import Catalogue

_catalogue = Catalogue()
_problem, _warning = _catalogue.problem, _catalogue.warning

CHECK_TIMED_OUT: Final = _problem(
    "check_timed_out",
    "Something that this check asks does not answer; the findings of this area are incomplete.",
    "Look at the other findings first. Then repeat the check with --only and a longer --timeout.",
)
CHECK_FAILED: Final = _problem(
    "check_failed",
    "This check could not be completed; the findings of this area are incomplete.",
    "Look at the other findings first. If there are none, report this as a fault of keyturn.",
)

# settings
SETTINGS_INVALID: Final = _problem(
    "settings_invalid",
    "A process with these settings does not start.",
    "Correct the variable, then run the command again: the other areas are checked once settings are valid.",
)
SETTINGS_URL_WITHOUT_TLS: Final = _warning(
    "settings_url_without_tls",
    "Tokens and secrets cross the network in clear text.",
    "Terminate TLS in front of the gateway, and set KEYTURN_PUBLIC_URL to the https URL on every process.",
)
SETTINGS_LOG_KEYS_DERIVED: Final = _warning(
    "settings_log_keys_derived",
    "Every node has the fleet keys, so every node could sign clients, secrets and keys of its own.",
    "Make a key with keyturn log-keys new, and follow docs/operations.md (The log's keys).",
)
SETTINGS_KEYS_NOT_UNWRAPPED: Final = _problem(
    "settings_keys_not_unwrapped",
    "A process with these settings does not start. Those that run have their keys in memory, and go on.",
    "Follow docs/operations.md (When keys cannot be unwrapped), and restart no process before that is done.",
)
SETTINGS_KEYS_PARTLY_WRAPPED: Final = _warning(
    "settings_keys_partly_wrapped",
    "Whoever reads this setting has the plain keys in it, without the device.",
    "Run keyturn key-wrapping wrap, and follow docs/operations.md (Wrapped keys) to the end.",
)

# database
DATABASE_UNREACHABLE: Final = _problem(
    "database_unreachable",
    "No change can be committed. Nodes go on answering from what they have.",
    "Start the database, or correct KEYTURN_DATABASE_URL. Nothing that was acknowledged is lost.",
)
DATABASE_EMPTY: Final = _problem(
    "database_empty",
    "No credentials service has used this database yet.",
    "Check that KEYTURN_DATABASE_URL names the right database; if so, start the credentials service.",
)
DATABASE_SCHEMA_OLDER: Final = _problem(
    "database_schema_older",
    "The credentials service of this release has not started on this database yet.",
    "Restart the credentials service with this release: it upgrades the schema.",
)
DATABASE_SCHEMA_NEWER: Final = _problem(
    "database_schema_newer",
    "A newer release has upgraded this database. A credentials service of this release does not start.",
    "Run the newer release, or restore the backup that was made before the upgrade.",
)
DATABASE_READ_ONLY: Final = _problem(
    "database_read_only",
    "No change can be committed: the server is a standby, or read-only.",
    "Let the name in KEYTURN_DATABASE_URL lead to the primary, or promote this server.",
)
DATABASE_LOCKED: Final = _problem(
    "database_locked",
    "Changes wait for another process that has held the write lock for as long as this check waited.",
    "Find the process that has the file open, for example a backup or a shell, and let it finish or end it.",
)
DATABASE_KEY_MISSING: Final = _problem(
    "database_key_missing",
    "KEYTURN_ENCRYPTION_KEYS lacks a key that data in this database is sealed under.",
    "Add the former key at the end of KEYTURN_ENCRYPTION_KEYS. It is in the backup of the keys.",
)
DATABASE_KEY_FORMER: Final = _warning(
    "database_key_former",
    "The key is not the first of KEYTURN_ENCRYPTION_KEYS, and data is still sealed under it.",
    "Keep the key. A running credentials service seals the data anew in the background; look again later.",
)
DATABASE_KEY_UNUSED: Final = _warning(
    "database_key_unused",
    "Nothing in this database needs the key any more.",
    "Remove it from KEYTURN_ENCRYPTION_KEYS, unless you have just added it or still need it for a backup.",
)
DATABASE_FLEET_KEY_MISSING: Final = _problem(
    "database_fleet_key_missing",
    "KEYTURN_FLEET_KEYS lacks a key that secrets' digests were made with. These clients get 429.",
    "Add the former key at the end of KEYTURN_FLEET_KEYS everywhere, or regenerate the clients' secrets.",
)
DATABASE_POOLER: Final = _problem(
    "database_pooler",
    "A pooler shares sessions between transactions. The credentials service does not start with it.",
    "Use pool_mode=session, or connect to PostgreSQL itself.",
)
DATABASE_SLOW: Final = _warning(
    "database_slow",
    "Every change and every page of the console waits for the database several times.",
    "Check the network between the credentials service and the database, and the load of its machine.",
)
DATABASE_NOT_DURABLE: Final = _problem(
    "database_not_durable",
    "If the database's machine loses power, changes that were acknowledged are lost or damaged.",
    "Turn the setting on in postgresql.conf, and restart or reload PostgreSQL.",
)
DATABASE_COMMIT_DEFAULT: Final = _warning(
    "database_commit_default",
    "keyturn's own sessions set it to on. Other programs on this database may lose commits.",
    "Set synchronous_commit to on for the server, the database and the user.",
)
DATABASE_DISK_ALMOST_FULL: Final = _problem(
    "database_disk_almost_full",
    "Once the disk is full, no change can be committed.",
    "Free space on this disk, or set KEYTURN_EVENT_RETENTION_DAYS and KEYTURN_AUDIT_RETENTION_DAYS.",
)
DATABASE_VERSION_OLD: Final = _problem(
    "database_version_old",
    "keyturn is not tested with this version of the database.",
    "Upgrade the database server.",
)

# audit
AUDIT_CHAIN_BROKEN: Final = _problem(
    "audit_chain_broken",
    "The audit log, or its signed record, was changed without the service. Nothing is added to the chain.",
    "Run keyturn audit verify, which reads all entries, and follow docs/operations.md (The audit log).",
)
AUDIT_KEY_UNKNOWN: Final = _problem(
    "audit_key_unknown",
    "The audit log's chain is not signed by a key of these settings, so it cannot be extended or verified.",
    "Compare KEYTURN_ENCRYPTION_KEYS with those of the running credentials service. If they are the same, run"
    " keyturn audit verify.",
)
AUDIT_UNCHAINED: Final = _problem(
    "audit_unchained",
    "No instance adds entries to the audit log's chain. Those that wait can be removed without a trace.",
    "Look at the log of the credentials service and at keyturn_audit_chain_broken, then run keyturn audit"
    " verify.",
)
AUDIT_ENTRY_SUSPECT: Final = _problem(
    "audit_entry_suspect",
    "The service noted that these audit entries are not as one of its instances wrote them.",
    "Run keyturn audit verify, which reads all entries, and follow docs/operations.md (The audit log).",
)

# Redis
REDIS_UNREACHABLE: Final = _problem(
    "redis_unreachable",
    "Nodes go on for a lease, and then refuse requests. Changes are committed and do not reach the nodes.",
    "Start Redis, even empty, or correct KEYTURN_REDIS_URL. The relay refills it from the database.",
)
REDIS_PASSWORD_WRONG: Final = _problem(
    "redis_password_wrong",
    "Redis refuses the user or password in KEYTURN_REDIS_URL.",
    "Correct user and password in KEYTURN_REDIS_URL, or in the users of Redis.",
)
REDIS_COMMAND_DENIED: Final = _problem(
    "redis_command_denied",
    "The user in KEYTURN_REDIS_URL lacks a right, so the relay, waits or checks of settings fail.",
    "Compare the user with keyturn-credentials in deploy/redis/users.acl, and add what is missing.",
)
REDIS_VERSION_OLD: Final = _problem(
    "redis_version_old",
    "keyturn needs Redis 7 or newer.",
    "Upgrade Redis. It may start empty: the relay refills it.",
)
REDIS_IS_REPLICA: Final = _problem(
    "redis_is_replica",
    "The server rejects writes. Changes do not reach the nodes through it.",
    "Let KEYTURN_REDIS_URL lead to the primary: name the Sentinels or the Cluster in it.",
)
REDIS_SETTING_UNSAFE: Final = _problem(
    "redis_setting_unsafe",
    "With this setting, the guarantee can be lost or clients can be refused.",
    "Change it with CONFIG SET and in redis.conf of every server (docs/operations.md, Redis).",
)
REDIS_SETTING_WEAK: Final = _warning(
    "redis_setting_weak",
    "With this setting, a restart or a failover takes longer or refuses more than necessary.",
    "Change it with CONFIG SET and in redis.conf of every server (docs/operations.md, Redis).",
)
REDIS_SETTINGS_HIDDEN: Final = _warning(
    "redis_settings_hidden",
    "Nobody checks the settings that keyturn's guarantee depends on.",
    "Allow CONFIG GET to the user, or check the table in docs/operations.md (Redis) by hand.",
)
REDIS_MEMORY_ALMOST_FULL: Final = _problem(
    "redis_memory_almost_full",
    "Once memory is full, Redis rejects writes: nodes lose their leases and changes do not reach them.",
    "Raise maxmemory, or give Redis a machine with more memory.",
)
REDIS_SLOW: Final = _warning(
    "redis_slow",
    "Leases, replay marks and waits for the fleet all wait for Redis.",
    "Check the network between this machine and Redis, SLOWLOG GET, and the load of its machine.",
)
REDIS_CLOCK_DIFFERS: Final = _warning(
    "redis_clock_differs",
    "Assertions may be refused as too old, or too new, and times in the console are wrong.",
    "Synchronise both clocks with NTP.",
)
REDIS_EMPTY: Final = _problem(
    "redis_empty",
    "Redis has no event log, and no relay has filled it. Nodes cannot renew their leases.",
    "Start the credentials service, and check that it and the nodes use the same KEYTURN_REDIS_URL.",
)
REDIS_NOT_VOUCHED: Final = _problem(
    "redis_not_vouched",
    "Redis was restarted or replaced, and no relay has compared it with the database since.",
    "Start the credentials service. If it runs, its log says why its relay does not work.",
)
REDIS_FILLING: Final = _warning(
    "redis_filling",
    "The relay is refilling Redis. Nodes answer 503 for clients that they have not loaded.",
    "Wait: it takes seconds to a minute. If it does not end, look at the log of the credentials service.",
)
REDIS_OF_ANOTHER_LOG: Final = _problem(
    "redis_of_another_log",
    "Redis and database do not belong together: another installation writes to this Redis, or the database"
    " was restored and no relay has noticed.",
    "Give each installation its own Redis. If the database was restored, start the credentials service.",
)
RELAY_SILENT: Final = _problem(
    "relay_silent",
    "No relay is at work: changes are committed and do not reach the nodes.",
    "Start the credentials service. If it runs, its log and /health/ready say why its relay does not work.",
)
REDIS_BEHIND: Final = _problem(
    "redis_behind",
    "A relay is at work, and still events of the database are missing in Redis: nodes do not apply them.",
    "Look at the log of the credentials service for relay failures, and restart it.",
)
LOG_KEY_FOREIGN: Final = _problem(
    "log_key_foreign",
    "The log in Redis is not signed by a key of these settings. Nodes with these keys believe none of it.",
    "Compare KEYTURN_LOG_SIGNING_KEYS and KEYTURN_FLEET_KEYS with those of the running credentials service.",
)

ALL: Final = _catalogue.diagnoses
"""All of them, in the order of the page."""
