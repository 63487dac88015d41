"""Times of a worker that retires."""

from typing import Final

RETIRE_SECONDS: Final = 5.0
"""Seconds in which a retiring worker answers further requests on its connections, each with
``connection: close``. Only connections that stayed idle for so long are closed without a response."""
