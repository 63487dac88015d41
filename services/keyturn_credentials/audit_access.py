"""The audit log's chain, from beside the database: its examination, and its acceptance."""

from keyturn_credentials.administrator_access import opened_store
from keyturn_credentials.domain.audit_chain.checking import Report
from keyturn_credentials.domain.audit_chain.statements import Base, Head, key_of, read_head
from keyturn_credentials.operations.audit_acceptance import AuditAcceptance
from keyturn_credentials.queries.audit_examination import AuditExamination
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.audit_chain import AuditChain
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_shared.clock import Clock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.signed_log.errors import ForgedError


async def examine_audit(settings: CredentialsSettings, clock: Clock, kept: Head | None = None) -> Report:
    """Check the whole audit log, while the service runs. Raises ConfigurationError, StoreUnavailableError."""
    keys = settings.audit_keys().verification()
    async with opened_store(settings) as store:
        with map_driver_errors():
            async with store.database.snapshot() as connection:
                return await AuditExamination(connection, store.encryption, keys).run(clock.now(), kept)


async def accept_audit(settings: CredentialsSettings, reason: str) -> Base:
    """Begin the chain anew with the entries as they are. Raises ConfigurationError, StoreUnavailableError."""
    async with opened_store(settings) as store:
        chain = AuditChain(store.encryption, settings.audit_keys())
        return await AuditAcceptance(store, chain).run(reason)


def kept_head(settings: CredentialsSettings, line: str) -> tuple[Head, bool]:
    """Return a head that was kept elsewhere, and whether one of the configured keys has signed it: one by a
    former key is good for a comparison. Raises ConfigurationError for anything else."""
    keys = settings.audit_keys()
    try:
        head = read_head(line, None)
    except ForgedError as error:
        raise ConfigurationError(f"--head: {error.detail}; copy the whole line") from error
    if key_of(line) not in keys.key_ids:
        return head, False
    try:
        return read_head(line, keys.verification()), True
    except ForgedError as error:
        raise ConfigurationError("--head: this line was changed: its signature is wrong") from error


def head_line(settings: CredentialsSettings, report: Report) -> str | None:
    """Return the head of a good log as the line to keep; None for one that is not to be kept."""
    return None if report.head is None or not report.is_good else report.head.signed(settings.audit_keys())
