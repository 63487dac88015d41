"""The page of alerts has a section for each alert, which says what to do, and no other."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "alerts.md").read_text()
PARTS: Final = ("Symptom", "Meaning", "What to do")


def _alerts() -> dict[str, dict[str, Any]]:
    document = yaml.safe_load((ROOT / "deploy" / "prometheus" / "keyturn-rules.yaml").read_text())
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"] if "alert" in rule}


def _sections() -> dict[str, str]:
    return dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_each_alert_has_its_section_in_the_order_of_the_rules() -> None:
    assert list(_sections()) == list(_alerts())


def test_each_section_has_symptom_meaning_and_what_to_do() -> None:
    for text in _sections().values():
        assert re.findall(r"^- \*\*([^*]+)\*\*", text, re.MULTILINE) == list(PARTS)


def test_each_section_shows_the_severity_of_its_alert() -> None:
    shown = {name: re.findall(r"\*\*Symptom\*\* \((\w+)\)", text) for name, text in _sections().items()}
    assert shown == {name: [rule["labels"]["severity"]] for name, rule in _alerts().items()}


def test_each_severity_is_explained() -> None:
    assert set(re.findall(r"^\| (\w+) \|", PAGE, re.MULTILINE)) - {"severity"} == {
        rule["labels"]["severity"] for rule in _alerts().values()
    }
