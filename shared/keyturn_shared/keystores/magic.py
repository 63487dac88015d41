"""First octets of Java's own formats."""

from typing import Final

JKS_MAGIC: Final = bytes.fromhex("feedfeed")
JCEKS_MAGIC: Final = bytes.fromhex("cececece")
"""Of a later format of Sun's, which is recognized and not read."""
