"""Every hostile variation is refused for its own reason, and the answer does not tell which."""

from collections import Counter

from tests.integration.workload.attacks import ATTACKS
from tests.integration.workload.scene import Scene


async def test_every_variation_is_refused_for_its_reason_and_the_answer_hides_it(scene: Scene) -> None:
    wrong, answers, before = [], set(), await scene.outcomes()
    for attack in ATTACKS:
        answer = await scene.present(attack.make(), realm=attack.realm, **attack.form)
        after = await scene.outcomes()
        counted, before = set(after - before), after
        answers.add((answer.status_code, answer.text))
        if counted != {attack.code}:
            wrong.append((attack.name, attack.code, counted))
    assert not wrong
    assert len(answers) == 1, "every refusal has the same answer"
    assert {status for status, _ in answers} == {401}


def test_every_variation_has_a_name_of_its_own() -> None:
    names = Counter(attack.name for attack in ATTACKS)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) >= 120
