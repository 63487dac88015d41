"""All problems of a configuration in one error."""

from collections.abc import Callable, Iterable

from keyturn_shared.errors import ConfigurationError


def check_all(*checks: Callable[[], object]) -> None:
    """Run all checks. Raises one ConfigurationError with a line for each that failed."""
    problems: list[str] = []
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            problems += error.detail.split("\n")
    raise_all(problems)


def raise_all(problems: Iterable[str]) -> None:
    """Raise a ConfigurationError with a line for each problem, if there are any."""
    distinct = list(dict.fromkeys(problems))
    if distinct:
        raise ConfigurationError("\n".join(distinct))
