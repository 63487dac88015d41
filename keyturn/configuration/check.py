"""``keyturn config check``: everything that is wrong with the settings of a program."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from keyturn.checked_settings import checked_settings
from keyturn.extras import MissingExtraError, needing
from keyturn.known_variables import unknown_variables
from keyturn.refusing import EXIT_REFUSED, refuse
from keyturn.services import settings_of
from keyturn.wrapped_keys.unwrapping import checked_stand_ins, unwrapped_values
from keyturn_shared.errors import KeyturnError

_AGENT: Final = "agent"


def run_check(program: str, file: Path | None, *, as_json: bool, unwrap: bool = False) -> int:
    """Print the problems, or that there are none. ``unwrap``: use the device of wrapped keys too. Return the
    exit code."""
    if (file is None) == (program == _AGENT):
        return refuse(
            "the settings of the agent are in a file: name it"
            if file is None
            else f"{program} has no file of settings: it reads KEYTURN_* variables"
        )
    try:
        problems = _problems(program, file, unwrapped_values if unwrap else checked_stand_ins)
    except MissingExtraError as error:
        return refuse(error.detail)
    if as_json:
        found = {"program": program, "valid": not problems, "problems": problems}
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    elif problems:
        refuse("\n".join(problems))
    else:
        sys.stdout.write(f"The settings of {program} are valid\n")
    return EXIT_REFUSED if problems else 0


def _problems(
    program: str, file: Path | None, keys: Callable[[type[BaseSettings]], dict[str, SecretStr]]
) -> list[str]:
    try:
        if file is None:
            checked_settings(settings_of(program), os.environ, keys)
            return []
        return unknown_variables(os.environ) + _problems_of_agent(file)
    except MissingExtraError:
        raise
    except KeyturnError as error:
        return error.detail.split("\n")


def _problems_of_agent(file: Path) -> list[str]:
    with needing(_AGENT):
        from keyturn.agent.credential import credential_of
        from keyturn.agent.settings import AgentSettings
    try:
        settings = AgentSettings.read(file)
        if settings.generate_key is None:  # a key would be made, and kept
            credential_of(settings, os.environ)
    except KeyturnError as error:
        return error.detail.split("\n")
    return []
