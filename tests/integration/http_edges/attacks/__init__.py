"""Attacks on HTTP itself, at every process, plain and over TLS: they must fail everywhere.

There is one module per topic. A case has a name, a source and octets, in which ``/PATH`` stands for a path of
the process, and BASIC and BEARER for an administrator's credentials, which an attacker tries to pass off as
the caller's own. With them, the path is the one where they count.
"""

from dataclasses import dataclass
from typing import Final

HIDDEN: Final = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
"""Its answer is recognised by its first words, wherever it appears."""
HIDDEN_ANSWER: Final = b"# HELP"


@dataclass(frozen=True)
class HttpAttack:
    """``fails``: statuses of the answer to the first request, if there is an answer at all. ``nginx_reads``:
    the gateway, which is nginx, reads the fields as the caller's own."""

    name: str
    source: str
    octets: bytes
    fails: frozenset[int] = frozenset({400, 401, 404, 405, 413, 414, 417, 429, 431, 501, 505})
    nginx_reads: bool = False
