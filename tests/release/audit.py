"""``make audit``: asks a database of advisories about every pinned distribution. Needs the network.

Exits with 0 if nothing is known against any of them, 1 if something is, 2 if the list of ignored advisories
or the requirements cannot be read, 3 if the database cannot be asked, so that nothing is known.
"""

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.release.advisories import (
    IGNORED,
    Report,
    printable,
    read_ignored,
    read_report,
    wrong_with_report,
)
from tests.release.checkout import ReleaseError
from tests.release.pins import EVERYTHING, SHIPPED, read_pins

FOUND, UNREADABLE, UNREACHABLE = 1, 2, 3
_AUDIT_SECONDS: Final = 900
_CONNECTION_SECONDS: Final = 15
_REASON_LENGTH: Final = 400


def main() -> int:
    options = _options()
    try:
        ignored = read_ignored(options.ignored)
        pins = read_pins(options.requirements)
        shipped = {pin.name for pin in read_pins(SHIPPED)}
    except ReleaseError as error:
        print(f"WRONG: {error}", file=sys.stderr)
        return UNREADABLE
    report, reason = _ask(options.requirements, options.database_url)
    if report is None:
        print(f"The database of advisories cannot be asked: {reason}", file=sys.stderr)
        print(f"Nothing is known about the {len(pins)} pinned distributions.", file=sys.stderr)
        return UNREACHABLE
    today = datetime.now(UTC).date()
    wrong = wrong_with_report(report, pins, shipped, ignored, today)
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    for each in ignored:
        if each.until >= today:
            print(f"ignored until {each.until}: {each.id} in {each.distribution}: {each.reason}")
    print(f"asked about {len(report.dependencies)} distributions: {len(wrong) or 'nothing'} wrong")
    return FOUND if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requirements", type=Path, default=EVERYTHING, help="default: constraints.txt")
    parser.add_argument("--ignored", type=Path, default=IGNORED, help="default: deploy/advisories.toml")
    parser.add_argument("--database-url", help="the query URL of a mirror with the API of OSV")
    return parser.parse_args()


def _ask(requirements: Path, database_url: str | None) -> tuple[Report | None, str]:
    """Return the report, or None and the reason. pip-audit exits with 1 for advisories and for errors."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements)]
    command += ["--require-hashes", "--disable-pip", "--vulnerability-service", "osv", "--format", "json"]
    command += ["--progress-spinner", "off", "--timeout", str(_CONNECTION_SECONDS)]
    if database_url is not None:
        command += ["--osv-url", database_url]
    try:
        answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_AUDIT_SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"it did not answer everything within {_AUDIT_SECONDS} seconds"
    lines = answer.stderr.strip().splitlines() or ["pip-audit printed nothing"]
    return read_report(answer.stdout), printable(lines[-1][:_REASON_LENGTH])


if __name__ == "__main__":
    sys.exit(main())
