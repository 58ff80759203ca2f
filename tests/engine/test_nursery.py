"""Workers forked from one process: the import is shared, and nothing else is."""

import signal
import subprocess
import sys
import time

import pytest

from gradparity import engine
from gradparity.lane import Lane
from gradparity.nursery import SWITCH
from gradparity.workers import Processes, WorkerDied, WorkerStartError

# What `nursery.are_possible` says of other systems: there, each worker starts anew, which
# test_workers.py and test_hostile.py show.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")

IMPORTED = """
import os, threading, time
from wild_tf import *
with open({log!r}, "a") as log:
    log.write("imported\\n")
{more}
"""


@pytest.fixture
def source(tmp_path, namespaces):
    """A source of forked workers whose namespace takes down each of its imports."""

    def source(more="", **settings):
        log = str(tmp_path / "log")
        (tmp_path / "counted_tf.py").write_text(IMPORTED.format(log=log, more=more))
        paths = (str(tmp_path), str(namespaces))
        return Processes("counted_tf", paths=paths, shared_start=True, **settings)

    return source


@pytest.fixture
def imports(tmp_path):
    return lambda: (tmp_path / "log").read_text().count("imported")


def gradient(worker, program):
    worker.send(program)
    return worker.receive(30).gradients[0].value.tolist()


def gone(process):
    """Waits until a process has ended and left no zombie."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        shown = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True
        ).stdout
        if not shown.strip():
            return True
        time.sleep(0.05)
    return False


def test_many_workers_in_both_profiles_cost_one_import(source, imports, program):
    source = source()
    workers = [source.start(profile) for profile in ("tf1", "v2", "tf1")]
    assert [worker.ready()["profile"] for worker in workers] == ["tf1", "v2", "tf1"]
    assert [gradient(worker, program()) for worker in workers] == [3.0] * 3
    assert len({worker._process.pid for worker in workers}) == 3
    assert imports() == 1
    for worker in workers:
        worker.close()


def test_what_one_does_no_other_feels(source, program):
    source = source()
    first, second = source.start("tf1"), source.start("tf1")
    change = "import counted_tf; counted_tf.identity = None\n"
    assert gradient(first, program(factor=f"{{exec({change!r}): 3.0}}[None]")) == 3.0
    assert gradient(second, program(factor="len([tf.identity(0)]) * 2.0")) == 2.0
    first.send(program("abort"))
    with pytest.raises(WorkerDied, match="killed by SIGABRT"):
        first.receive(30)
    assert gradient(second, program()) == 3.0
    second.close()


def test_a_crash_costs_no_other_import(source, imports, program):
    lane = Lane(source(), "tf1")
    for asked in (program(), program("abort"), program()):
        lane.send(asked)
    first, died, last = (lane.receive() for _ in range(3))
    lane.stop()
    assert died.reason == "killed by SIGABRT"
    assert first.gradients[0].value == last.gradients[0].value == 3.0
    assert imports() == 1


def test_when_the_nursery_is_killed_its_workers_end_and_others_start_anew(source, imports, program):
    source = source()
    lane = Lane(source, "tf1")
    lane.send(program())
    assert lane.receive().gradients[0].value == 3.0
    worker = lane._worker._process.pid
    source._nursery.process.kill()
    assert gone(worker)
    lane.send(program())
    assert lane.receive().gradients[0].value == 3.0
    assert imports() == 2
    lane.stop()


def test_a_namespace_that_starts_threads_is_imported_by_every_worker(source, imports, program):
    source = source("threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()")
    workers = [source.start("tf1"), source.start("tf1")]
    assert [gradient(worker, program()) for worker in workers] == [3.0] * 2
    assert imports() == 3
    for worker in workers:
        worker.close()


def test_a_worker_that_is_closed_before_the_import_ends_is_ended_when_it_begins(source):
    source = source("time.sleep(1)")
    worker = source.start("tf1")
    worker.close()
    began = time.monotonic()
    with pytest.raises(WorkerStartError):
        worker.ready()
    assert time.monotonic() - began < 0.5
    deadline = time.monotonic() + 10
    while worker._process is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert gone(worker._process.pid)
    assert source._nursery.process.poll() is None


def test_the_nursery_ends_with_those_who_could_ask_it(source, program):
    source = source()
    nursery = source._nursery
    worker = source.start("tf1")
    assert gradient(worker, program()) == 3.0
    process = nursery.process
    del nursery, source
    assert gradient(worker, program()) == 3.0
    worker.close()
    del worker
    assert gone(process.pid)


@pytest.mark.parametrize("misdeed", [None, "hang"])
def test_neither_nursery_nor_workers_outlive_a_run_that_is_killed(
    namespaces, program, tmp_path, misdeed
):
    noted = tmp_path / "pids"
    script = (
        "import os, pathlib, time\n"
        "from gradparity.program import Program\n"
        "from gradparity.workers import Processes\n"
        f"source = Processes('wild_tf', paths=[{str(namespaces)!r}], shared_start=True)\n"
        "workers = [source.start('tf1'), source.start('v2')]\n"
        "for worker in workers:\n"
        "    worker.ready()\n"
        f"    worker.send(Program('tf1', {program(misdeed).build!r}, 'gradients = []'))\n"
        "time.sleep(0.3)\n"
        "pids = [p.pid for p in (source._nursery.process, *(w._process for w in workers))]\n"
        f"pathlib.Path({str(noted)!r}).write_text(' '.join(map(str, pids)))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, timeout=30)
    assert ended.returncode == -signal.SIGKILL
    pids = noted.read_text().split()
    assert len(set(pids)) == 3
    assert all(gone(pid) for pid in pids)


def test_only_tensorflow_is_worth_sharing_and_a_variable_forbids_it(monkeypatch):
    monkeypatch.delenv(SWITCH, raising=False)
    assert engine.side_source(engine.TENSORFLOW).shared_start
    assert not engine.side_source("numpy_tf").shared_start
    monkeypatch.setenv(SWITCH, "0")
    assert not engine.side_source(engine.TENSORFLOW).shared_start
