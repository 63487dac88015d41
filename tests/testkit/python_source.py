"""Parsing Python source in a process that has run other tests before."""

import ast
import gc


def parse(source: str) -> ast.Module:
    """Parse with the garbage collector at rest.

    CPython 3.11 raises SystemError if anything else is parsed while it makes the nodes (like gh-106905), and
    a traceback that a finalizer of a former test's garbage writes is parsed.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        if was_enabled:
            gc.enable()
