"""The fleet's answer to a change (``Keyturn-Fleet``), in words."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class FleetAnswer:
    """Numbers of nodes: all, and those that have applied the change. ``fenced``: they have not, and refuse
    every request until they have. Not ``known``: Redis does not respond."""

    known: bool
    nodes: int = 0
    applied: int = 0
    fenced: int = 0
    pending: int = 0

    @classmethod
    def parse(cls, header: str) -> Self:
        """Read the header's dictionary (RFC 9651). Whatever is not as expected is unknown."""
        members: dict[str, int] = {}
        for part in header.split(","):
            name, _, number = part.strip().partition("=")
            if number.isascii() and number.isdigit() and len(number) <= 9:
                members[name] = int(number)
        names = ("nodes", "applied", "fenced", "pending")
        if any(name not in members for name in names):
            return cls(known=False)
        return cls(True, *(members[name] for name in names))

    @property
    def is_safe(self) -> bool:
        """Return whether no node accepts any more what the change ended."""
        return self.known and not self.pending

    def sentence(self) -> str:
        """Describe it for a person."""
        if not self.known:
            return "The change is made, but nobody knows which nodes applied it: Redis does not respond"
        if not self.nodes:
            return "Safe now: no nodes are running"
        applied = f"{self.applied} of {self.nodes} {'node' if self.nodes == 1 else 'nodes'} applied it"
        if self.fenced:
            applied += f", {self.fenced} cannot answer any request before"
        if self.pending:
            return f"Not confirmed yet: {applied}, {self.pending} pending; keyturn fleet shows them"
        return f"Safe now: {applied}"

    def members(self) -> dict[str, object]:
        """Return it for JSON."""
        if not self.known:
            return {"known": False}
        return {
            "known": True,
            "nodes": self.nodes,
            "applied": self.applied,
            "fenced": self.fenced,
            "pending": self.pending,
        }
