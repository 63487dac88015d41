"""Content of a sink's keys or fields."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyturn.agent.sinks.settings import Content


@dataclass(frozen=True, slots=True)
class Client:
    """The client whose secret is delivered."""

    issuer: str
    client_id: str

    def fill(self, data: Mapping[str, Content], secret: str) -> dict[str, str]:
        """Return the value of each key."""
        values: dict[Content, str] = {"secret": secret, "client_id": self.client_id, "issuer": self.issuer}
        return {key: values[content] for key, content in data.items()}
