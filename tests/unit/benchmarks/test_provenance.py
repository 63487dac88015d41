from benchmarks.provenance import busy_seconds

STAT = "cpu  {user} 0 50 9000 400 0 {softirq} 25 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nbtime 1\n"


def test_a_machine_is_busy_with_everything_but_idling_and_waiting() -> None:
    before, after = (
        busy_seconds(STAT.format(user=user, softirq=softirq)) for user, softirq in ((100, 0), (300, 100))
    )
    assert after - before == 3.0
    assert busy_seconds(STAT.format(user=0, softirq=0)) == 0.75
