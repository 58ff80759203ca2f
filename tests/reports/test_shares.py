"""Pages written by several processes are those that one writes, and errors are not lost."""

import os
import signal
import threading

import pytest

from gradparity import reports
from gradparity.reports import shares, write_pages
from gradparity.reports.document import document
from gradparity.reports.pages import page_names, pages
from gradparity.reports.shares import cores, in_shares


def test_the_parts_are_the_whole_and_have_nothing_in_common(make):
    data = document(make.many(checks=50))
    parts = [pages(data, part, 3) for part in range(3)]
    whole = pages(data)
    assert sum(map(len, parts)) == len(whole)
    assert {name: text for part in parts for name, text in part.items()} == whole
    assert sorted(page_names(data)) == sorted(whole)


def test_several_processes_write_what_one_does(make, tmp_path, monkeypatch):
    data = document(make.many(checks=50))
    monkeypatch.setattr(shares, "cores", lambda: 3)
    monkeypatch.setattr(reports, "MANY", 10)
    written = write_pages(data, tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path.read_text("utf-8") for path in written}
    assert found == pages(data)


def test_each_part_is_done_by_a_process_of_its_own(tmp_path):
    def note(part, parts):
        (tmp_path / f"{part} of {parts}").write_text(str(os.getpid()))

    in_shares(note, 3)
    pids = {path.name: int(path.read_text()) for path in tmp_path.iterdir()}
    assert sorted(pids) == ["0 of 3", "1 of 3", "2 of 3"]
    assert len(set(pids.values())) == 3
    assert pids["0 of 3"] == os.getpid()


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_in_any_part_is_raised_here(failing):
    def work(part, parts):
        if part == failing:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        in_shares(work, 2)


def test_a_part_whose_process_died_is_done_again(tmp_path):
    parent = os.getpid()

    def work(part, parts):
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        (tmp_path / str(part)).touch()

    in_shares(work, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


def test_a_process_with_other_threads_is_not_forked():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert cores() == 1
    finally:
        done.set()
        thread.join()
