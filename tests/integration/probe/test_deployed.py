"""The probers of ``compose.yaml`` and of the systemd unit hold their promise on a running installation.

Hosts, the client and the file of its secret are those of the test; every other option is as it is deployed.
"""

import json
import re
from collections.abc import Callable
from typing import Final

import pytest
import yaml

from tests.integration.probe.scene import PROBER, Scene
from tests.testkit.systemd import exec_words
from tests.testkit.tools import REPOSITORY

_NODES: Final = "--node="


def _of_compose() -> list[str]:
    document = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in document["services"]["probe"]["command"]]


def _of_systemd() -> list[str]:
    text = (REPOSITORY / "deploy" / "systemd" / "keyturn-probe.service").read_text()
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    return exec_words(command, re.findall(r"^Environment=(.*)$", text, re.MULTILINE))[1:]


@pytest.mark.parametrize("deployed", [_of_compose, _of_systemd])
def test_a_round_of_the_deployed_prober_holds(scene: Scene, deployed: Callable[[], list[str]]) -> None:
    here = {
        "--server": scene.url,
        "--client-id": PROBER,
        "--secret-file": str(scene.directory / "secret"),
    }
    words = []
    for word in deployed():
        name, _, value = word.partition("=")
        if not word.startswith((_NODES, "--metrics-address=")):
            words.append(f"{name}={here.get(name, value)}" if value else word)
    ended = scene.program.run_program(*words, f"{_NODES}{scene.node.url}", "--once")
    (line,) = ended.out.splitlines()
    assert json.loads(line)["result"] == "held", ended.out + ended.err
    scene.require_secrecy(ended.out + ended.err)
