"""Settings of a node as a process, and as several: its parent reads nothing else."""

import secrets

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn_shared.listening_settings import ListeningSettings

_MAX_WORKERS = 64


class WorkerCount(BaseSettings):
    """The number of a node's processes."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    workers: int = Field(default=1, ge=1, le=_MAX_WORKERS)
    """Processes that answer at this node's address. Each is a member of the fleet of its own."""


class ProcessSettings(ListeningSettings, WorkerCount):
    """Settings that the parent of a node's workers shares with them. Times are seconds."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    port: int = Field(default=8082, ge=0, le=65535)
    node_id: str = Field(
        default_factory=lambda: f"node-{secrets.token_hex(4)}", pattern=r"^[A-Za-z0-9._-]{1,64}$"
    )
    """Name of this node in the fleet view. Each run of it is listed separately."""
    drain_seconds: int = Field(default=10, ge=1)
    """Time that answers in progress may take after SIGTERM."""
