"""Runs the real Lua scripts, with Lua 5.1 as in Redis, over a simulated server."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from lupa.lua51 import LuaError, LuaRuntime, lua_type

from keyturn_shared.fleet.scripts import Argument, source
from tests.simulation.redis_model.commands import Status
from tests.simulation.redis_model.data import CommandError


class Target(Protocol):
    """What a script talks to."""

    def command(self, name: bytes, arguments: list[bytes]) -> Any: ...


class ScriptEngine:
    """Compiles each script once. ``edit`` may change a script's text before that: to switch a protection off
    and see what happens."""

    def __init__(self, edit: Callable[[str, str], str] = lambda name, text: text) -> None:
        self._edit = edit
        self._lua = LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        self._compiled: dict[tuple[str, str], Any] = {}
        self._target: Target | None = None
        self._lua.globals()[b"redis"] = self._lua.table_from(
            {b"call": self._call, b"pcall": self._pcall, b"error_reply": self._error_reply}
        )

    def run(
        self, target: Target, package: str, name: str, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Any:
        """One script. Raises CommandError as Redis would answer with an error."""
        function = self._compiled.get((package, name))
        if function is None:
            text = f"return function(KEYS, ARGV)\n{self.text(package, name)}\nend"
            function = self._lua.execute(text.encode())
            self._compiled[package, name] = function
        outer, self._target = self._target, target
        try:
            reply = function(
                self._lua.table_from([key.encode() for key in keys]),
                self._lua.table_from([as_bytes(each) for each in arguments]),
            )
        except LuaError as error:
            raise CommandError(f"ERR {error}") from None
        finally:
            self._target = outer
        return _from_lua(reply)

    def text(self, package: str, name: str) -> str:
        """The script that is run."""
        return self._edit(name, source(name, package))

    def _call(self, name: bytes, *arguments: Any) -> Any:
        assert self._target is not None
        return self._to_lua(self._target.command(name.upper(), [as_bytes(each) for each in arguments]))

    def _pcall(self, name: bytes, *arguments: Any) -> Any:
        try:
            return self._call(name, *arguments)
        except CommandError as error:
            return self._error_reply(str(error).encode())

    def _error_reply(self, message: bytes) -> Any:
        return self._lua.table_from({b"err": message})

    def _to_lua(self, reply: Any) -> Any:
        if type(reply) is bytes or type(reply) is int:
            return reply
        if reply is None:
            return False
        if isinstance(reply, Status):
            return self._lua.table_from({b"ok": bytes(reply)})
        return self._lua.table_from([self._to_lua(each) for each in reply])


_PLAIN: Final = (bytes, type(None))


def _from_lua(reply: Any) -> Any:
    """Numbers lose their fraction, false is no value, a table ends at its first hole."""
    if isinstance(reply, _PLAIN):
        return reply
    if isinstance(reply, bool):
        return 1 if reply else None
    if isinstance(reply, int | float):
        return int(reply)
    if lua_type(reply) != "table":
        return None
    if reply[b"err"] is not None:
        raise CommandError(reply[b"err"].decode())
    if reply[b"ok"] is not None:
        return bytes(reply[b"ok"])
    items = []
    for index in range(1, len(reply) + 1):
        item = reply[index]
        if item is None:
            break
        items.append(_from_lua(item))
    return items


def as_bytes(argument: Any) -> bytes:
    """An argument as Redis gets it. Numbers of Lua as it writes them."""
    if isinstance(argument, bytes):
        return argument
    if isinstance(argument, str):
        return argument.encode()
    if isinstance(argument, int):
        return b"%d" % argument
    if isinstance(argument, float):
        return b"%d" % argument if argument == int(argument) else f"{argument:.17g}".encode()
    raise CommandError("ERR Lua redis lib command arguments must be strings or integers")
