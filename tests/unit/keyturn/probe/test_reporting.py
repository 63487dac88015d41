"""A round is a line of JSON, or a line for a person with one for each finding."""

import io
import json

from keyturn.admin_cli.fleet_answer import FleetAnswer
from keyturn.admin_cli.rendering import Output
from keyturn.probe.judgement import Answer, Check, CheckName, Observation, Place, Round, judge
from keyturn.probe.reporting import lines, report

FLEET = FleetAnswer(True, nodes=1, applied=1)
REFUSED = Observation("a:80", Place.TOKEN, Answer.REFUSED, refused_after=0.0251)
ACCEPTED = Observation("b:80", Place.TOKEN, Answer.ACCEPTED)


def test_a_round_that_held_is_one_line() -> None:
    seen = Round((Check(CheckName.SECRET, FLEET, 0.0121, (REFUSED,)),), fleet_nodes=1)
    (line,) = lines(seen, judge(seen), 0.0)
    assert line == "1970-01-01 00:00:00Z  held         1 of 1 nodes reached  secret 12/25 ms"


def test_a_broken_promise_is_the_first_finding() -> None:
    seen = Round(
        (Check(CheckName.SECRET, FLEET, 0.0121, (REFUSED, ACCEPTED)),), fleet_nodes=3, unresolved=("c",)
    )
    head, first, *others = lines(seen, judge(seen), 0.0)
    assert "broken       2 of 2 nodes reached, the fleet has 3  secret 12/? ms" in head
    assert first.startswith("  broken (secret): b:80 accepted")
    assert [each.split(":")[0] for each in others] == ["  unreachable", "  unreachable"]


def test_json_has_one_line_a_round() -> None:
    out = io.StringIO()
    seen = Round((Check(CheckName.TOKENS, None, 0.0121),))
    report(Output(True, out), seen, judge(seen), 12.5)
    (line,) = out.getvalue().splitlines()
    document = json.loads(line)
    assert (document["time"], document["result"]) == (12.5, "unconfirmed")
    assert document["nodes"] == {"fleet": None, "reached": [], "unreached": []}
    assert document["checks"] == [
        {"check": "tokens", "confirmed": False, "fleet": None, "call_ms": 12.1, "effect_ms": None}
    ]
    assert [(each["result"], each["check"], each["node"]) for each in document["findings"]] == [
        ("unconfirmed", "tokens", None)
    ]
