"""The option of ``make revocation``."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-cell", action="store_true", help="Try every cell in every circumstance.")
