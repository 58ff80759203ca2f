"""Whether a recording stands up to a live answer, where both are errors."""

import pytest

from gradparity.recordings import freshness
from gradparity.recordings.answer import Answer
from gradparity.recordings.freshness import Freshness
from gradparity.recordings.lookup import Found, State
from gradparity.recordings.store import Store


def error(stage="run", type="InvalidArgumentError", message="conv fails"):
    return Answer({"error": {"stage": stage, "type": type, "message": message, "line": None}})


@pytest.fixture
def compared(monkeypatch, tmp_path):
    """Holds a live answer against a recorded one."""

    def compare(recorded, live):
        found = Found(State.FRESH, recorded)
        monkeypatch.setattr(freshness, "look_up", lambda check, store: found)
        monkeypatch.setattr(freshness, "mending", lambda check: "record it")
        result = Freshness(Store(tmp_path, "2.21.0"))
        result.compare(None, live)
        return result

    return compare


def test_another_of_several_errors_of_a_run_is_as_fresh_as_the_recorded_one(compared):
    result = compared(error(), error(message="the gradient of conv fails"))
    assert result.is_fresh
    assert not result.contradicts
    assert "all 1 fresh (1 with another of several errors)" in result.lines()[0]


@pytest.mark.parametrize(
    "live",
    [
        error(type="NotFoundError"),
        error(stage="gradients"),
        Answer({"ys": [], "gradients": []}),
    ],
)
def test_an_error_of_another_class_or_stage_contradicts_the_recording(compared, live):
    result = compared(error(), live)
    assert result.contradicts
    assert not result.is_fresh


def test_of_one_stage_before_the_run_the_words_count(compared):
    recorded, live = (error(stage="build", message=words) for words in ("one", "another"))
    assert compared(recorded, live).contradicts
