"""Settings of a service from the environment. All that is wrong with them is in one error."""

from collections.abc import Callable, Container, MutableMapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from keyturn.known_variables import FILE, PREFIX, is_setting, unknown_variables
from keyturn.wrapped_keys.unwrapping import stand_ins, unwrapped_values
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing
from keyturn_shared.service_settings import ServiceSettings
from keyturn_shared.setting_problems import raise_all

Settings = TypeVar("Settings", bound=ServiceSettings)

_MISSING: Final = "required, but not set"
_MAX_SECRET_BYTES: Final = 65_536


def checked_settings(
    kind: type[Settings],
    environment: MutableMapping[str, str],
    keys: Callable[[type[BaseSettings]], dict[str, SecretStr]] = unwrapped_values,
) -> Settings:
    """Return a service's settings. ``environment`` is this process's, to which values from files are added.
    ``keys``: returns the values of the settings that have wrapped keys, by default unwrapped.

    Raises ConfigurationError with a line for each problem: an unknown variable, an unreadable file, a missing
    or invalid value, values that contradict each other. No line has a value that may be a secret.
    """
    problems = unknown_variables(environment)
    from_files, names = _read_files(environment)
    problems += from_files
    settings: Settings | None = None
    values: dict[str, Any] = {}
    try:
        values = {**keys(kind)}
    except ConfigurationError as error:
        problems += error.detail.split("\n")
        values = {**stand_ins(kind)}
    try:
        settings = kind(**values)
        settings.check_files()
    except ConfigurationError as error:
        problems += error.detail.split("\n")
    except ValidationError as error:
        missing = {f"{name}: {_MISSING}" for name in names}
        problems += [problem for problem in _lines(error) if problem not in missing]
        problems += _problems_behind(kind, values, error)
    raise_all(problems)
    assert settings is not None, "without a problem there are settings"  # noqa: S101 - a mistake in code
    return settings


def read_secret_files(environment: MutableMapping[str, str], names: Container[str] | None = None) -> None:
    """Set ``KEYTURN_X`` from the file named by ``KEYTURN_X_FILE``, the usual form of container secrets.
    ``names``: only these variables. Raises ConfigurationError with a line for each file that cannot be read,
    and for each variable that is set as well."""
    raise_all(_read_files(environment, names)[0])


def describe_settings_error(error: ValidationError) -> str:
    """Return a line for each invalid variable with the reason, without values: they may be secrets."""
    return "\n".join(_lines(error))


def _read_files(
    environment: MutableMapping[str, str], names: Container[str] | None = None
) -> tuple[list[str], list[str]]:
    """Return the problems, and the variables that have no value because of one."""
    problems, without = [], []
    for variable in [name for name in environment if name.startswith(PREFIX) and name.endswith(FILE)]:
        name = variable.removesuffix(FILE)
        if is_setting(variable) or (names is not None and name not in names):
            continue
        if environment.get(name):
            problems.append(f"{name} and {variable} are both set")
            continue
        try:
            with Path(environment[variable]).open("rb") as file:
                environment[name] = file.read(_MAX_SECRET_BYTES).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not valid text"
            problems.append(f"{variable}: {environment[variable]}: {reason}")
            without.append(name)
    return problems, without


def _lines(error: ValidationError) -> list[str]:
    return [
        f"{PREFIX}{'_'.join(str(part) for part in problem['loc'] if isinstance(part, str)).upper()}: "
        f"{_MISSING if problem['type'] == 'missing' else problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _problems_behind(kind: type[BaseSettings], values: dict[str, Any], error: ValidationError) -> list[str]:
    """Return the problems that are found only when each value by itself is valid: the invalid ones are
    replaced by their defaults, or by a key where one is required."""
    replaced: dict[str, Any] = dict(values)
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(problem["loc"][0])
        field = kind.model_fields[name]
        replaced[name] = (
            KeyRing.generate_key() if field.is_required() else field.get_default(call_default_factory=True)
        )
    try:
        kind(**replaced)
    except ConfigurationError as further:
        return further.detail.split("\n")
    except ValidationError:
        return []
    return []
