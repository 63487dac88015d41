"""Collection without garbage collection: thousands of tests are made, and none of them is garbage.

They are exempt from it afterwards too. Otherwise every full collection of the run would traverse all of them.
"""

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
