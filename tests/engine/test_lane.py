"""A lane loses no program to another's misdeeds."""

import threading

import pytest

from gradparity.lane import Lane, LaneStopped
from gradparity.outcome import Outcome
from gradparity.workers import WorkerDied, WorkerStartError, WorkerTimedOut


@pytest.fixture
def lane(namespace):
    lanes = []

    def open(name="wild_tf", time_limit=20.0):
        lanes.append(Lane(namespace(name), "tf1", time_limit))
        return lanes[-1]

    yield open
    for one in lanes:
        one.stop()


def answers(lane, programs):
    for program in programs:
        lane.send(program)
    return [lane.receive() for _ in programs]


def kinds(answers):
    return [type(answer) for answer in answers]


@pytest.mark.parametrize("misdeed", ["abort", "exit", "garbage"])
def test_a_death_is_the_answer_of_the_culprit_alone(lane, program, misdeed):
    found = answers(lane(), [program(), program(misdeed), program(), program()])
    assert kinds(found) == [Outcome, WorkerDied, Outcome, Outcome]


def test_a_hang_is_the_answer_of_the_culprit_alone(lane, program):
    found = answers(lane(time_limit=0.5), [program(), program("hang"), program(), program()])
    assert kinds(found) == [Outcome, WorkerTimedOut, Outcome, Outcome]


def test_two_culprits_side_by_side_are_each_found(lane, program):
    found = answers(lane(), [program("exit"), program("abort"), program()])
    assert [str(answer.reason) for answer in found[:2]] == [
        "ended with exit status 7",
        "killed by SIGABRT",
    ]
    assert kinds(found[2:]) == [Outcome]


def test_a_program_that_fails_only_in_company_is_answered_alone(lane, program):
    found = answers(lane(), [program(), program("abort unless alone"), program()])
    assert kinds(found) == [Outcome, Outcome, Outcome]


def test_a_worker_that_cannot_be_replaced_leaves_the_rest_unanswered(namespace, program):
    class Mortal:
        """Its first worker is well, all others are stillborn."""

        names = ["wild_tf"]
        started = 0

        def start(self, profile):
            self.started += 1
            name = self.names.pop() if self.names else "stillborn_tf"
            return namespace(name).start(profile)

    source = Mortal()
    lane = Lane(source, "tf1")
    found = answers(lane, [program("exit"), program(), program()])
    lane.stop()
    assert kinds(found) == [WorkerDied, WorkerStartError, WorkerStartError]
    assert source.started == 2  # nobody tries a third time


def test_no_worker_is_started_after_the_last_answer(namespace, program):
    started = []

    class Counted:
        def start(self, profile):
            started.append(profile)
            return namespace("wild_tf").start(profile)

    lane = Lane(Counted(), "tf1")
    answers(lane, [program("exit")])
    lane.stop()
    assert len(started) == 2  # the first, and the one for the second attempt


def test_stopping_frees_whoever_waits_for_an_answer(lane, program):
    waiting = lane()
    waiting.send(program("hang"))
    threading.Timer(0.3, waiting.stop).start()
    with pytest.raises(LaneStopped):
        waiting.receive()
