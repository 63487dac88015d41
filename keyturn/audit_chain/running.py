"""``keyturn audit verify`` and ``keyturn audit accept``: what they do, and what they say."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyturn.audit_chain.text import as_document, lines_of
from keyturn.database_choice import settings_for
from keyturn.services import run_configured
from keyturn_credentials.audit_access import accept_audit, examine_audit, head_line, kept_head
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError

EXIT_FOUND: Final = 1
"""Exit code when the log is not what was signed, or could not be compared with the kept head."""
_MOST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class VerifyOrder:
    """Options of ``keyturn audit verify``. ``data_dir``: a local stack's directory, or None for the
    environment's database."""

    head: str | None
    data_dir: Path | None
    as_json: bool


def run_verify(order: VerifyOrder) -> int:
    """Check the audit log, and print the result. Return the exit code."""
    good = False

    def work() -> None:
        nonlocal good
        settings = settings_for(order.data_dir)
        kept, known = (None, False) if order.head is None else kept_head(settings, order.head.strip())
        report = asyncio.run(examine_audit(settings, SystemClock(), kept))
        line = head_line(settings, report)
        if order.as_json:
            sys.stdout.write(json.dumps(as_document(report, line), indent=2) + "\n")
        else:
            sys.stdout.writelines(f"{each}\n" for each in lines_of(report, line, kept_key_known=known))
        good = report.is_good

    code = run_configured(work)
    return code if code != 0 or good else EXIT_FOUND


def run_accept(reason: str, data_dir: Path | None) -> int:
    """Begin the chain anew. Return the exit code."""

    def work() -> None:
        if not reason.strip() or len(reason) > _MOST_REASON or "\0" in reason:
            raise ConfigurationError(f"--reason: give one, of at most {_MOST_REASON} characters")
        base = asyncio.run(accept_audit(settings_for(data_dir), reason.strip()))
        sys.stdout.write(
            f"The chain of the audit log begins anew after number {base.number}. The service adds the entries"
            " as they are; then run keyturn audit verify, and keep the new head\n"
        )

    return run_configured(work)
