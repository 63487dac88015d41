"""Exit codes, and the error that ends a command with one."""

from enum import IntEnum

from keyturn_shared.errors import KeyturnError


class ExitCode(IntEnum):
    """UNCONFIRMED: the change is made, but not every node is known to have applied it. UNREACHABLE: also a
    server that answers 502, 503 or 504."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_ALLOWED = 3
    UNCONFIRMED = 4
    UNREACHABLE = 5


class CommandError(KeyturnError):
    """The command ends with this code. The detail is for a person, and may quote the server.

    ``status``: of the server's response, if that was a refusal.
    """

    code = "command"

    def __init__(
        self, detail: str, exit_code: ExitCode = ExitCode.FAILED, *, status: int | None = None
    ) -> None:
        super().__init__(detail)
        self.exit_code = exit_code
        self.status = status
