"""``keyturn migrate compare``: reads the source, compares both sides and writes the report."""

import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from keyturn.import_progress import shown_progress
from keyturn.migrate.compare.comparison import Compared, Verdict, compare_all
from keyturn.migrate.compare.credentials import Credential, Keys, NoCredentialError, credential_of
from keyturn.migrate.compare.page import as_html, as_markdown, verdict
from keyturn.migrate.compare.redaction import Redaction, secrets_in
from keyturn.migrate.compare.report import Inputs, SideFacts, describe, is_fine
from keyturn.migrate.compare.side import Side
from keyturn.migrate.source import Source, SourceOptions, read_source, require_private, shown_time
from keyturn.services import run_configured
from keyturn.terminal_text import printable
from keyturn_credentials.domain.export_reading import ExportedClient, read_realm
from keyturn_shared.errors import ConfigurationError

DIFFERENT: Final = 1
"""Exit code of a comparison in which clients differ without an explanation, or a side failed."""
_NAME: Final = "comparison"


@dataclass(frozen=True, slots=True)
class ComparingOrder:
    """Options of the command. ``keycloak_url``: None for the source's; ``report``: a directory for the three
    files of the report, or None."""

    source: SourceOptions
    keyturn_url: str
    keycloak_url: str | None
    to_realm: str | None
    keys: Path | None
    introspect_as: str | None
    concurrency: int
    seconds: float
    report: Path | None
    as_json: bool


def run_compare(order: ComparingOrder) -> int:
    """Compare both sides and print the result. Return the exit code."""
    code = 0

    def work() -> None:
        nonlocal code
        source, realm, clients = _clients_of(order)
        redact = Redaction(secrets_in(source.documents[0]))
        inputs, compared = asyncio.run(_compare(order, source, realm, clients))
        described = describe(inputs, compared, redact)
        # In ASCII: a name cannot send a terminal a command, nor turn the text around.
        text = json.dumps(described, indent=2) + "\n"
        sys.stdout.writelines([text] if order.as_json else lines(described))
        if order.report is not None:
            _write(order.report, described, text)
        code = 0 if is_fine(compared) else DIFFERENT

    return run_configured(work) or code


def _clients_of(order: ComparingOrder) -> tuple[Source, str, list[ExportedClient]]:
    """Return the source, the name of its realm, and its clients without Keycloak's own."""
    for url in filter(None, (order.keycloak_url, order.keyturn_url)):
        require_private(url, allow_http=order.source.allow_http)
    if order.report is not None and order.report.exists() and not order.report.is_dir():
        raise ConfigurationError(f"--report {order.report} is not a directory")
    if order.keycloak_url is None and not order.source.is_url:
        raise ConfigurationError("--keycloak-url is required with an export file")
    source = read_source(order.source)
    if len(source.documents) != 1:
        raise ConfigurationError(f"{source.name} has {len(source.documents)} realms: choose one with --realm")
    exported = read_realm(source.documents[0])
    if exported.name is None:
        raise ConfigurationError(f"{source.name} does not name its realm")
    return source, exported.name, [each for each in exported.clients if not each.is_keycloaks_own]


async def _compare(
    order: ComparingOrder, source: Source, realm: str, clients: list[ExportedClient]
) -> tuple[Inputs, list[Compared]]:
    started = time.time()
    keys = Keys(order.keys)
    realms = (realm, order.to_realm or realm)
    urls = (order.keycloak_url or source.name, order.keyturn_url)
    ca_file = order.source.ca_file
    async with (
        Side("Keycloak", urls[0], realms[0], seconds=order.seconds, ca_file=ca_file) as keycloak,
        Side("keyturn", urls[1], realms[1], seconds=order.seconds, ca_file=ca_file) as keyturn,
    ):
        if {key.thumbprint for key in keycloak.keys.keys} & {key.thumbprint for key in keyturn.keys.keys}:
            raise ConfigurationError(
                "both URLs lead to the same realm, whose keys they publish: --keyturn-url can be a node's own"
            )
        with shown_progress() as progress:
            compared = await compare_all(
                clients,
                (keycloak, keyturn),
                keys,
                introspector=_introspector(order.introspect_as, clients, keys),
                concurrency=order.concurrency,
                progress=progress,
            )
        facts = [
            SideFacts(side.url, side.endpoints.issuer, [key.kid for key in side.keys.keys])
            for side in (keycloak, keyturn)
        ]
    inputs = Inputs(
        version("keyturn"),
        shown_time(started),
        shown_time(time.time()),
        source.described(),
        realms,
        facts[0],
        facts[1],
        keys.digests(),
        order.introspect_as,
    )
    return inputs, compared


def _introspector(client_id: str | None, clients: list[ExportedClient], keys: Keys) -> Credential | None:
    if client_id is None:
        return None
    for client in clients:
        if client.client_id == client_id:
            try:
                credential = credential_of(client, keys)
            except NoCredentialError as error:
                raise ConfigurationError(f"--introspect-as {client_id}: {error}") from None
            if credential.certificate is not None:
                raise ConfigurationError(f"--introspect-as {client_id}: it must not need a certificate")
            return credential
    raise ConfigurationError(f"--introspect-as {client_id}: the source has no such client")


def _write(directory: Path, report: Mapping[str, Any], text: str) -> None:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write_private(directory / f"{_NAME}.json", text)
        _write_private(directory / f"{_NAME}.md", as_markdown(report, sha256))
        _write_private(directory / f"{_NAME}.html", as_html(report, sha256))
    except OSError as error:
        raise ConfigurationError(f"{directory} cannot be written: {error.strerror}") from error


def _write_private(file: Path, text: str) -> None:
    """Write a file that, if it is new, only its owner can read: it tells what each client may do."""
    with open(file, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        stream.write(text)


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the report for a terminal."""
    for line in _lines(report):
        yield f"{printable(line)}\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    yield verdict(report)
    yield f"{', '.join(f'{count:,} {name}' for name, count in report['counts'].items())}"
    yield ""
    for each in report["differences"]:
        values = " → ".join(
            "absent" if each[side] is None else each[side] or '""' for side in ("keycloak", "keyturn")
        )
        named = f"{each['class']:<12}{each['clients']:>7,}  {each['where']}: {each['name']}"
        yield f"{named}: {values}"
        yield f"{'':21}{each['reason'] or 'example: ' + each['example']}"
    for each in report["clients"]:
        if each["verdict"] == Verdict.FAILED:
            yield f"failed  {each['clientId']}: {each['reason']}"
