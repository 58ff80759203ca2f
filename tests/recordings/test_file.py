"""A recording file keeps answers exactly, shares what repeats, and has a line for each tensor."""

from pathlib import Path

import numpy as np
import pytest

from gradparity.language.check import Case
from gradparity.outcome import DenseResult, Failure, Outcome, SparseResult
from gradparity.recordings import file
from gradparity.recordings.answer import from_outcome, to_outcome
from gradparity.recordings.file import Recorded, Recording, RecordingError


def dense(*values, dtype=np.float32):
    return DenseResult(np.dtype(dtype).name, (len(values),), np.array(values, dtype))


SPARSE = SparseResult(dense(1, 2), dense(4, 0, dtype=np.int32), dense(9, dtype=np.int32))
SLICES = SparseResult(dense(1, 2), dense(4, 0, dtype=np.int32), None)
CALLS = {"1 float32": "Mul", "2 float32": "Add Mul"}
OUTCOMES = {
    "c::values": Outcome([dense(1)], [dense(-0.0, np.nan), None], None, ("Add", "Mul"), CALLS),
    "c::same": Outcome([dense(1)], [dense(-0.0, np.nan), None], None, ("Add", "Sub"), CALLS),
    "c::sparse": Outcome([dense(1)], [SPARSE, SLICES], None, ("Add", "Mul"), CALLS),
    "c::error": Outcome(error=Failure("run", "ValueError", "two\nlines: é", 3), op_types=("Add",)),
    "c::nothing": Outcome(),
}


@pytest.fixture
def recording():
    return Recording(
        "c",
        "abc",
        {
            check: Recorded(f"{number:016x}", from_outcome(outcome))
            for number, (check, outcome) in enumerate(OUTCOMES.items())
        },
    )


def test_what_was_written_reads_back(recording):
    assert file.from_text(file.to_text(recording), Path("c.json")) == recording


def test_outcomes_survive_to_the_bit(recording):
    read = file.from_text(file.to_text(recording), Path("c.json"))
    for check, outcome in OUTCOMES.items():
        again = to_outcome(read.checks[check].answer)
        assert from_outcome(again) == from_outcome(outcome)
        assert again.error == outcome.error
    assert np.signbit(to_outcome(read.checks["c::values"].answer).gradients[0].value[0])


def test_each_tensor_has_a_line_and_each_error_one(recording):
    lines = [line.strip(" ,") for line in file.to_text(recording).splitlines()]
    assert '"float32 [2] -0.0 nan"' in lines
    assert "null" in lines
    assert '"indices": "int32 [2] 4 0"' in lines
    assert sum('"stage": "run"' in line and "ValueError" in line for line in lines) == 1


def test_the_cases_that_a_file_generates_share_its_recording(recording):
    for name, path in {"a/b": "cases/a/b.yaml", "a/b/graph-01": "cases/a/b.yaml"}.items():
        assert file.file_name(Case(name, Path(path), "", "", "")) == "a/b"
    answer = recording.checks["c::values"]
    several = Recording("a/b", "abc", {"a/b/graph-01::y~x": answer, "a/b/graph-02::y~x": answer})
    assert file.from_text(file.to_text(several), Path("b.json")) == several


def test_equal_answers_and_equal_lists_of_ops_stand_once(recording):
    text = file.to_text(recording)
    assert text.count("-0.0 nan") == 1
    assert text.count('"all": "Add Mul"') == 1
    assert '"1 float32": "Mul"' in text
    assert '"values": "0000000000000000 ops' in text
    assert '"same": "0000000000000001 ops' in text


@pytest.mark.parametrize(
    "text",
    ["", "<<<<<<< HEAD", "[]", "{}", '{"format": "gradparity-recording", "version": 99}'],
)
def test_what_is_no_recording_is_refused_with_the_file_and_the_remedy(text):
    with pytest.raises(RecordingError, match=r"(?s)some/c\.json .*gradparity record"):
        file.from_text(text, Path("some/c.json"))


def test_a_recording_that_lacks_a_part_is_refused(recording):
    text = file.to_text(recording).replace('"configuration"', '"confusion"')
    with pytest.raises(RecordingError, match="lacks something"):
        file.from_text(text, Path("c.json"))
