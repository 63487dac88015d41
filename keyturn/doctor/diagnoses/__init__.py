"""Every kind of finding, with its meaning and what to do. ``docs/doctor.md`` explains each of them."""

from typing import Final

from keyturn.doctor.diagnoses import backends, callers

DIAGNOSES: Final = (*backends.ALL, *callers.ALL)
"""All of them, in the order of the page."""
