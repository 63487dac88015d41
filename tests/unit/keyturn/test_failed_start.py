"""A service that refuses its settings tells why through the local stack."""

from pathlib import Path

import pytest

from keyturn.stack.child import Child
from keyturn.stack.supervisor import describe_failed_start


class Ended(Child):
    """A process that has ended with this code."""

    def __init__(self, log: Path, code: int) -> None:
        super().__init__("credentials", (), "http://127.0.0.1:1", {}, log=log, lock=0)
        self._code = code

    @property
    def exit_code(self) -> int:
        return self._code


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("started\nkeyturn: KEYTURN_A: wrong\n", "credentials: KEYTURN_A: wrong"),
        (
            "keyturn: of an earlier start\nstarted\nkeyturn: KEYTURN_A: wrong\nKEYTURN_B: missing\n",
            "credentials: KEYTURN_A: wrong\ncredentials: KEYTURN_B: missing",
        ),
        ("only this\n", "credentials: only this"),
    ],
)
def test_all_that_it_refused_is_told(written: str, told: str, tmp_path: Path) -> None:
    log = tmp_path / "credentials.log"
    log.write_text(written)
    assert describe_failed_start(Ended(log, 2)) == told
