"""Branches of scripts are counted where they are taken."""

from lupa.lua51 import LuaRuntime

from tests.simulation.redis_model.branches import Branch, BranchCounter, Taken
from tests.simulation.redis_model.scripts import ScriptEngine
from tests.simulation.session import session

_SCRIPT = """return function(a)
  -- if this were no comment then it would count
  if a > 2 then return 'much' elseif a > 1 then return 'more' end
  if a > 0 then
    a = a + 1
  else a = a - 1 end
  return a
end"""


def test_each_way_out_of_a_condition_is_counted() -> None:
    counter = BranchCounter(LuaRuntime(encoding=None, register_eval=False, register_builtins=False))
    script = counter.compile("some", _SCRIPT)
    assert [script(value) for value in (3, 1, 1)] == [b"much", 2, 2]
    taken = counter.taken()
    assert taken.counts == {
        Branch("if a > 2", held=True): 1,
        Branch("if a > 2", held=False): 2,
        Branch("elseif a > 1", held=True): 0,
        Branch("elseif a > 1", held=False): 2,
        Branch("if a > 0", held=True): 2,
        Branch("if a > 0", held=False): 0,
    }
    assert [str(branch) for branch in taken.missed()] == ["elseif a > 1 (held)", "if a > 0 (did not hold)"]


def test_a_run_is_the_same_whether_its_branches_are_counted_or_not() -> None:
    traces: list[list[str]] = []
    for counting in (False, True):
        traces.append([])
        taken = Taken() if counting else None
        with session(taken=taken) as run:
            run(3, traces[-1].append)
        if taken is not None:
            assert sum(taken.counts.values()) > 1_000
    assert traces[0] == traces[1]


def test_an_engine_that_does_not_count_has_taken_nothing() -> None:
    assert not ScriptEngine().taken().counts
