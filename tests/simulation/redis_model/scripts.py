"""Runs the real Lua scripts, with Lua 5.1 as in Redis, on a simulated server."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from lupa.lua51 import LuaError, LuaRuntime, lua_type

from keyturn_shared.fleet.scripts import Argument, source
from tests.simulation.redis_model.branches import BranchCounter, Taken
from tests.simulation.redis_model.commands import Status
from tests.simulation.redis_model.data import CommandError


class Target(Protocol):
    """The server that a script runs on."""

    def command(self, name: bytes, arguments: list[bytes]) -> Any: ...


_BETWEEN: Final = b"""
local python_call = ...
local NESTED, LISTS, LIST, SCALAR = 3, 2, 1, 0
local MOST = 4000

-- A list comes from Python as true and its values, all else as it is.
local function made(first, ...)
  if first == true then return { ... } end
  return first
end

-- A reply goes to Python as a number that says how to read it, and flat values: one list of strings and
-- integers, or lists of such between scalars, each with its length in front (-1: a scalar). Any other goes as
-- the table it is.
local function is_plain(value)
  local kind = type(value)
  return kind == 'string' or (kind == 'number' and value % 1 == 0)
end

local function is_list_of_plain(list)
  if list.err ~= nil or list.ok ~= nil or #list > MOST then return false end
  for index = 1, #list do
    if not is_plain(list[index]) then return false end
  end
  return true
end

local function given(reply)
  if type(reply) ~= 'table' then return SCALAR, reply end
  if is_list_of_plain(reply) then return LIST, unpack(reply) end
  if reply.err ~= nil or reply.ok ~= nil then return NESTED, reply end
  local flat, size = {}, 0
  for index = 1, #reply do
    local value = reply[index]
    if type(value) == 'table' then
      if not is_list_of_plain(value) then return NESTED, reply end
      flat[size + 1] = #value
      for at = 1, #value do flat[size + 1 + at] = value[at] end
      size = size + 1 + #value
    else
      if value == nil then break end
      if value ~= false and not is_plain(value) then return NESTED, reply end
      flat[size + 1], flat[size + 2] = -1, value
      size = size + 2
    end
  end
  if size > MOST then return NESTED, reply end
  return LISTS, unpack(flat, 1, size)
end

local function run(script, count, ...)
  local keys, arguments = {}, { select(count + 1, ...) }
  for index = 1, count do keys[index] = (select(index, ...)) end
  return given(script(keys, arguments))
end

return {
  call = function(...) return made(python_call(...)) end,
  entry = function(script)
    return function(...) return run(script, ...) end
  end,
}
"""
"""Values are passed between Lua and Python one by one, which is much cheaper than a shared table."""

_SCALAR, _LIST, _LISTS = 0, 1, 2


class ScriptEngine:
    """Compiles each script once. ``edit`` may change a script's text first, to disable a protection.
    ``counting``: branches can be counted; see ``count``."""

    def __init__(
        self, edit: Callable[[str, str], str] = lambda name, text: text, *, counting: bool = False
    ) -> None:
        self._edit = edit
        self._lua = LuaRuntime(
            encoding=None, register_eval=False, register_builtins=False, unpack_returned_tuples=True
        )
        self._branches = BranchCounter(self._lua) if counting else None
        self._compiled: dict[tuple[str, str], Any] = {}
        self._target: Target | None = None
        between = self._lua.execute(_BETWEEN, self._call)
        protected = self._lua.execute(_BETWEEN, self._pcall)
        self._entry = between[b"entry"]
        self._lua.globals()[b"redis"] = self._lua.table_from(
            {b"call": between[b"call"], b"pcall": protected[b"call"], b"error_reply": self._error_reply}
        )

    def count(self, *, branches: bool) -> None:
        """Start or stop counting branches; not counting is much faster."""
        if self._branches is not None:
            self._branches.count(on=branches)

    def run(
        self, target: Target, package: str, name: str, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Any:
        """Run one script. Raises CommandError when Redis would answer with an error."""
        script = self._compiled.get((package, name)) or self._compile(package, name)
        outer, self._target = self._target, target
        try:
            reply = script(len(keys), *[key.encode() for key in keys], *map(as_bytes, arguments))
        except LuaError as error:
            raise CommandError(f"ERR {error}") from None
        finally:
            self._target = outer
        how, *values = reply if type(reply) is tuple else (reply,)
        if how == _LIST:
            return values
        if how == _LISTS:
            return _lists(values)
        return _from_lua(values[0] if values else None)

    def text(self, package: str, name: str) -> str:
        """Return the script as it is run."""
        return self._edit(name, source(name, package))

    def taken(self) -> Taken:
        """Return the branches taken so far; none unless they are counted."""
        return Taken() if self._branches is None else self._branches.taken()

    def _compile(self, package: str, name: str) -> Any:
        text = f"return function(KEYS, ARGV)\n{self.text(package, name)}\nend"
        if self._branches is None:
            function = self._lua.execute(text.encode())
        else:
            function = self._branches.compile(name, text)
        entry = self._compiled[package, name] = self._entry(function)
        return entry

    def _call(self, name: bytes, *arguments: Any) -> Any:
        assert self._target is not None
        reply = self._target.command(name.upper(), list(map(as_bytes, arguments)))
        kind = type(reply)
        if kind is bytes or kind is int:
            return reply
        if reply is None:
            return False
        if kind is list:
            kinds = set(map(type, reply))
            if kinds <= _PLAIN:
                return True, *reply
            if kinds <= _PLAIN_OR_ABSENT:
                return True, *[False if each is None else each for each in reply]
        return self._to_lua(reply)

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


_PLAIN: Final = frozenset({bytes, int})
_PLAIN_OR_ABSENT: Final = _PLAIN | {type(None)}


def _lists(flat: list[Any]) -> list[Any]:
    """Flatten scalars and lists, each with its length in front."""
    items, at = [], 0
    while at < len(flat):
        size = flat[at]
        if size < 0:
            items.append(flat[at + 1] if flat[at + 1] is not False else None)
            at += 2
        else:
            items.append(flat[at + 1 : at + 1 + size])
            at += 1 + size
    return items


def _from_lua(reply: Any) -> Any:
    """Convert a reply like Redis: numbers lose their fraction, false becomes null, a table ends at its first
    hole."""
    if reply is None or isinstance(reply, bytes):
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
    """Convert an argument to bytes, numbers as Lua prints them."""
    if type(argument) is bytes:
        return argument
    if isinstance(argument, str):
        return argument.encode()
    if isinstance(argument, int):
        return b"%d" % argument
    if isinstance(argument, float):
        return b"%d" % argument if argument == int(argument) else f"{argument:.17g}".encode()
    raise CommandError("ERR Lua redis lib command arguments must be strings or integers")
