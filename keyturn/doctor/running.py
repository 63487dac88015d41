"""A run of the command: settings, examination, output, exit code."""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import SecretStr

from keyturn.checked_settings import read_secret_files
from keyturn.database_choice import values_of_running
from keyturn.doctor.diagnoses import backends
from keyturn.doctor.examination import examine
from keyturn.doctor.findings import Area, AreaReport, ExitCode, exit_code
from keyturn.doctor.hidden import passwords_in, secrets_of, without
from keyturn.doctor.rendering import as_json, as_lines
from keyturn.doctor.scene import opened
from keyturn.doctor.settings_area import read_settings
from keyturn.refusing import refuse
from keyturn.wrapped_keys.rings import given_rings
from keyturn.wrapped_keys.unwrapping import stand_ins, unwrapped_values
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.errors import ConfigurationError, KeyturnError

_LAST_RESORT_SECONDS: Final = 4.0
"""Seconds after the time limit of the checks at which the process ends in any case."""


@dataclass(frozen=True, slots=True)
class Order:
    """Options of the command. ``data_dir``: a local stack's directory, or None for the environment's
    installation. ``seconds``: the time limit of each check."""

    data_dir: Path | None
    areas: frozenset[Area]
    seconds: float
    strict: bool
    as_json: bool


def run(order: Order, clock: Clock | None = None) -> int:
    """Check, and print the reports. Return the exit code."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)  # what libraries would log is in the findings
    of_settings = AreaReport(Area.SETTINGS)
    try:
        try:
            read_secret_files(os.environ)
        except ConfigurationError as error:
            of_settings.add(backends.SETTINGS_INVALID, error.detail)
        values = values_of_running(order.data_dir)
        values |= _keys_of(values, of_settings)
        settings, found = read_settings(values)
    except KeyturnError as error:
        return refuse(error.detail)
    of_settings.extend(found)
    of_settings.summary = "of the environment" if order.data_dir is None else f"of {order.data_dir}"
    reports = [of_settings] if Area.SETTINGS in order.areas or of_settings.problems else []
    hide = partial(without, secrets_of(settings) if settings is not None else _texts(values))
    if settings is None or of_settings.problems:
        return _finish(order, reports, hide)
    return asyncio.run(
        _examine(
            settings, order, clock or SystemClock(), lambda found: _finish(order, [*reports, *found], hide)
        )
    )


def _keys_of(values: Mapping[str, Any], of_settings: AreaReport) -> dict[str, SecretStr]:
    """Return the values of the settings that have wrapped keys, unwrapped. If that fails, it is a problem,
    and they are replaced, so that the other settings can be checked."""
    for given in given_rings(CredentialsSettings, values):
        if given.is_mixed:
            of_settings.add(
                backends.SETTINGS_KEYS_PARTLY_WRAPPED, f"{given.ring.variable} has wrapped and plain keys"
            )
    try:
        return unwrapped_values(CredentialsSettings, values)
    except ConfigurationError as error:
        for problem in error.detail.split("\n"):
            of_settings.add(backends.SETTINGS_KEYS_NOT_UNWRAPPED, problem)
        return stand_ins(CredentialsSettings, values)


async def _examine(
    settings: CredentialsSettings, order: Order, clock: Clock, finish: Callable[[list[AreaReport]], int]
) -> int:
    # SQLite reads single rows in this thread: a disk that hangs stops every time limit but this one.
    last_resort = threading.Timer(order.seconds + _LAST_RESORT_SECONDS, _give_up)
    last_resort.daemon = True
    last_resort.start()
    async with opened(settings, clock, order.seconds) as scene:
        reports, ended = await examine(scene, order.areas)
        last_resort.cancel()
        code = finish(reports)
        if not ended:
            os._exit(code)  # a thread waits for a disk, and would keep the process alive
    return code


def _give_up() -> None:
    refuse("not finished in time, and the checks cannot be ended: does a disk hang?")
    os._exit(ExitCode.PROBLEM)


def _texts(values: Mapping[str, Any]) -> frozenset[str]:
    """Return the secrets among values that are not valid settings."""
    kinds = CredentialsSettings.model_fields
    named = {
        value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
        if "SecretStr" in str(getattr(kinds.get(name), "annotation", ""))
    }
    urls = (str(values.get(name, "")) for name in ("redis_url", "database_url", "jwks_proxy"))
    return frozenset(named).union(*map(passwords_in, urls))


def _finish(order: Order, reports: list[AreaReport], hide: Callable[[str], str]) -> int:
    code = exit_code(reports, strict=order.strict)
    if order.as_json:
        sys.stdout.write(json.dumps(as_json(reports, code, hide), indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in as_lines(reports, hide))
    sys.stdout.flush()
    return code
