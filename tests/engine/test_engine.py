"""A run judges every check, whatever single workers do."""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gradparity import engine
from gradparity.workers import InProcess, Processes


@pytest.fixture
def run(namespace):
    def run(checks, implementation="tame_tf", oracle="tame_tf", **settings):
        return engine.run(checks, namespace(implementation), namespace(oracle), **settings)

    return run


@pytest.fixture
def no_child_is_left():
    def children():
        found = set()
        for task in os.listdir("/proc/self/task"):
            with suppress(FileNotFoundError):  # the thread of an earlier test has just ended
                found |= set(Path(f"/proc/self/task/{task}/children").read_text().split())
        return found

    before = children()
    yield
    assert children() <= before


def words(record):
    return [result.verdict.word.value for result in record.results]


def test_results_are_in_the_order_of_the_checks(run, check):
    checks = [check(f"many::{number}", factor=f"{number + 2}.0") for number in range(50)]
    seen = []
    record = run(checks, on_result=seen.append)
    assert [result.check for result in record.results] == checks
    assert words(record) == ["agree"] * 50
    assert record.passes
    assert sorted(result.check.id for result in seen) == sorted(one.id for one in checks)


def test_the_record_says_who_answered_in_which_profile(run, check):
    record = run([check("a::1"), check("a::2", profile="v2")], implementation="wild_tf")
    assert list(record.oracle) == list(record.implementation) == ["tf1", "v2"]
    assert record.oracle["v2"]["namespace"] == "tame_tf"
    assert record.implementation["tf1"]["namespace"] == "wild_tf"
    assert record.seconds > 0
    assert record.started_at.endswith("+00:00")


MISDEEDS = {
    "abort": "crashed",
    "exit": "crashed",
    "garbage": "crashed",
    "hang": "timed-out",
    "shout": "agree",
    "abort unless alone": "agree",
}


@pytest.mark.parametrize("culprit", ["implementation", "oracle"])
def test_each_misdeed_costs_its_own_check_alone(run, check, culprit, no_child_is_left):
    checks = []
    for misdeed in MISDEEDS:
        checks += [check(f"before {misdeed}::1"), check(f"{misdeed}::1", misdeed)]
    checks.append(check("last::1"))
    record = run(checks, **{culprit: "wild_tf"}, time_limit=3.0)
    found = {result.check.case.name: result.verdict.word.value for result in record.results}
    assert {name: found.pop(name) for name in MISDEEDS} == MISDEEDS
    assert set(found.values()) == {"agree"}
    assert len(found) == len(MISDEEDS) + 1


def test_a_program_that_wants_too_much_memory_costs_its_own_check_alone(namespace, check):
    sources = [namespace("wild_tf", memory_limit=1 << 30), namespace("tame_tf")]
    checks = [check("before::1"), check("devours::1", "devour"), check("after::1")]
    record = engine.run(checks, *sources)
    assert words(record) == ["agree", "differ", "agree"]
    assert "MemoryError" in record.results[1].verdict.reason


def test_workers_have_a_memory_limit_unless_it_is_lifted():
    assert engine.side_source("tame_tf").memory_limit == 4 << 30
    assert engine.side_source("tame_tf", memory_limit=None).memory_limit is None


def test_the_oracle_alone_can_be_asked(namespace, check):
    checks = [check("a::1", "exit"), check("a::2", profile="v2"), check("a::3", factor="5.0")]
    answers, described = engine.ask_oracle(checks, namespace("wild_tf"))
    assert type(answers["a::1"]).__name__ == "WorkerDied"
    assert answers["a::3"].gradients[0].value == 5.0
    assert sorted(described) == ["tf1", "v2"]


def test_an_oracle_that_takes_no_time_leaves_the_cores_to_the_implementation(
    namespace, check, monkeypatch
):
    monkeypatch.setattr(engine, "CHECKS_PER_IMPLEMENTATION", 10)
    started = []
    start = Processes.start
    monkeypatch.setattr(
        Processes, "start", lambda self, profile: (started.append(self), start(self, profile))[1]
    )

    class Idle:
        occupies_a_core = False

        def start(self, profile):
            return namespace("tame_tf").start(profile)

    checks = [check(f"many::{number}", factor=f"{number + 2}.0") for number in range(40)]
    record = engine.run(checks, namespace("wild_tf"), Idle(), jobs=3)
    assert words(record) == ["agree"] * 40
    assert [source.namespace for source in started].count("wild_tf") == 3


def test_a_crash_is_told_with_side_signal_and_last_words(run, check):
    (result,) = run([check("a::1", "abort")], implementation="wild_tf").results
    assert result.implementation is None
    assert result.oracle is not None
    assert "the implementation crashed: killed by SIGABRT" in result.verdict.reason
    assert "last words" in result.verdict.reason


def test_checks_the_oracle_can_no_longer_be_asked_are_unchecked(namespace, check):
    class Mortal:
        """Its first worker is well, all others are stillborn."""

        names = ["wild_tf"]

        def start(self, profile):
            name = self.names.pop() if self.names else "stillborn_tf"
            return namespace(name).start(profile)

    checks = [check("a::1"), check("a::2", "exit"), check("a::3")]
    record = engine.run(checks, namespace("tame_tf"), Mortal())
    assert words(record) == ["agree", "crashed", "unchecked"]
    assert "no such instruction on this machine" in record.results[2].verdict.reason


def test_a_profile_in_which_the_oracle_does_not_come_up_costs_no_other(namespace, check):
    class OfOneProfile:
        def start(self, profile):
            return namespace("tame_tf" if profile == "tf1" else "stillborn_tf").start(profile)

    checks = [check("a::1"), check("a::2", profile="v2"), check("a::3"), check("a::4")]
    record = engine.run(checks, namespace("tame_tf"), OfOneProfile(), jobs=1)
    assert words(record) == ["agree", "unchecked", "agree", "agree"]


def test_several_oracles_share_the_checks_of_a_profile(run, check, monkeypatch):
    monkeypatch.setattr(engine, "CHECKS_PER_ORACLE", 10)
    started = []
    start = Processes.start
    monkeypatch.setattr(
        Processes, "start", lambda self, profile: (started.append(self), start(self, profile))[1]
    )
    checks = [check(f"many::{number}", factor=f"{number + 2}.0") for number in range(40)]
    assert words(run(checks, oracle="wild_tf", jobs=3)) == ["agree"] * 40
    assert [source.namespace for source in started].count("wild_tf") == 3


def test_profiles_run_one_after_the_other_with_one_job(run, check):
    checks = [check(f"a::{n}", profile=("tf1", "v2")[n % 2]) for n in range(10)]
    assert words(run(checks, jobs=1)) == ["agree"] * 10


def test_an_oracle_that_dies_at_its_start_ends_the_run(run, check, no_child_is_left):
    with pytest.raises(engine.OracleStartError, match="no such instruction on this machine"):
        run([check("a::1")], oracle="stillborn_tf")


def test_a_missing_tensorflow_is_told_with_the_remedy(check, namespace):
    with pytest.raises(engine.OracleStartError, match=r"pip install 'gradparity\[tensorflow\]'"):
        engine.run([check("a::1")], namespace("tame_tf"), namespace("nowhere_tf"))


def test_an_implementation_that_is_not_there_ends_the_run(run, check, no_child_is_left):
    with pytest.raises(engine.ImplementationStartError, match="no module named 'nowhere_tf'"):
        run([check("a::1")], implementation="nowhere_tf")


def test_an_implementation_that_dies_at_its_start_ends_the_run(run, check):
    with pytest.raises(engine.ImplementationStartError, match="no such instruction"):
        run([check("a::1")], implementation="stillborn_tf")


def test_an_interruption_keeps_what_was_judged_and_ends_the_workers(run, check, no_child_is_left):
    checks = [check("a::1"), check("a::2"), check("a::3", "hang"), check("a::4")]
    seen = []

    def interrupt_after_two(result):
        seen.append(result)
        if len(seen) == 2:
            threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()

    began = time.monotonic()
    with pytest.raises(engine.Interrupted) as interruption:
        run(checks, implementation="wild_tf", on_result=interrupt_after_two)
    record = interruption.value.record
    assert words(record) == ["agree", "agree"]
    assert record.interrupted
    assert not record.passes
    assert time.monotonic() - began < 10


def test_an_error_in_the_callback_ends_the_workers_too(run, check, no_child_is_left):
    def fail(result):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([check("a::1"), check("a::2", "hang")], implementation="wild_tf", on_result=fail)


def test_a_run_of_nothing_does_not_pass(run):
    assert not run([]).passes


def test_in_process_gives_the_same_verdicts(check, namespaces, monkeypatch):
    monkeypatch.syspath_prepend(str(namespaces))
    checks = [check("a::1"), check("a::2", profile="v2"), check("a::3", factor="undefined")]
    record = engine.run(checks, InProcess("tame_tf"), InProcess("tame_tf"))
    assert words(record) == ["agree", "agree", "invalid"]
    assert sorted(record.oracle) == ["tf1", "v2"]


@pytest.fixture
def pairs(namespace):
    pairs = engine.Pairs(
        {"oracle": namespace("tame_tf"), "implementation": namespace("wild_tf")}, time_limit=20
    )
    yield pairs
    pairs.stop()


def test_pairs_answer_in_any_order_and_again(pairs, check):
    first, second, third = check("a::1"), check("a::2", "exit"), check("a::3", profile="v2")
    for one in (first, second, third):
        pairs.ask(one)
    words = [pairs.result(one).verdict.word.value for one in (third, second, first, first)]
    assert words == ["agree", "crashed", "agree", "agree"]


def test_pairs_that_cannot_start_say_so_each_time_without_trying_again(namespace, check):
    started = []

    class Stillborn:
        namespace = "stillborn_tf"

        def start(self, profile):
            started.append(profile)
            return namespace("stillborn_tf").start(profile)

    pairs = engine.Pairs({"oracle": Stillborn(), "implementation": namespace("tame_tf")})
    for one in (check("a::1"), check("a::2")):
        with pytest.raises(engine.OracleStartError):
            pairs.result(one)
    pairs.stop()
    assert len(started) == 1
