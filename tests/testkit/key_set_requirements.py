"""Requirements of a lookup on a key set."""

from typing import Final

from keyturn_shared.key_sets.record import Required

ANY: Final = Required(0, 0)
"""Satisfied by any record."""
