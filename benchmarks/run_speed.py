"""What a run costs beside TensorFlow's own work, and how fast recorded answers are judged.

    python benchmarks/run_speed.py            # both parts
    python benchmarks/run_speed.py recorded   # without TensorFlow

Each part puts copies of the tutorial's cases into a folder of its own and runs the whole
command on one core. The copies have other names in their graphs' comments, so no check is
another's twin.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "cases" / "tutorial"
VERSION = "2.21.0"
RECORDED = ROOT / "recordings" / VERSION


def copies(folder, count):
    """Copies of the tutorial's cases and of their recordings: paths of both."""
    cases, recordings = folder / "cases", folder / "recordings"
    kept = recordings / VERSION
    kept.mkdir(parents=True)
    shutil.copy(RECORDED / "configurations.json", kept)
    for number in range(count):
        name = f"tutorial_{number:03}"
        shutil.copytree(TUTORIAL, cases / name)
        for path in sorted((RECORDED / "cases" / "tutorial").rglob("*.json")):
            recording = json.loads(path.read_text("utf-8"))
            recording["file"] = recording["file"].replace("tutorial/", f"{name}/", 1)
            target = kept / "cases" / name / path.relative_to(RECORDED / "cases" / "tutorial")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(recording), "utf-8")
    return cases, recordings


def on_one_core(command, folder):
    """Runs a command: (what it printed, wall seconds, processor seconds of all its processes)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command],
        check=True,
        stdout=subprocess.PIPE,
        cwd=folder,
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def timed_run(folder, *options):
    """One whole command on one core: (report, wall seconds, processor seconds).

    The files have been checked before, as those of a corpus have that is run again.
    """
    on_one_core(["-m", "gradparity", "check", "cases"], folder)
    report = folder / "report"
    command = ["-m", "gradparity", "run", "cases", *options, "--jobs", "1", "--report", report]
    _, wall, processor = on_one_core([str(word) for word in command], folder)
    return json.loads((report / "report.json").read_text("utf-8")), wall, processor


PURE = """
import sys, time
from pathlib import Path
from gradparity.language.loading import load
from gradparity.worker import Side
import gc

programs = [
    {"build": check.program.build, "gradients": check.program.gradients}
    for check in load([Path("cases")]) if check.program.profile == sys.argv[1]
]
side = Side("tensorflow.compat.v1", sys.argv[1])
side.run(programs[0])
gc.freeze()
started = time.perf_counter(), time.process_time()
for program in programs:
    side.run(program)
print(time.perf_counter() - started[0], time.process_time() - started[1])
"""


def pure_work(folder):
    """TensorFlow's own work for all checks in one process a profile: wall and processor seconds."""
    wall = processor = 0.0
    for profile in ("tf1", "v2"):
        printed, _, _ = on_one_core(["-c", PURE, profile], folder)
        times = printed.split()[-2:]
        wall, processor = wall + float(times[0]), processor + float(times[1])
    return wall, processor


def work(report, side):
    """Seconds in which a side built graphs, differentiated and ran, by stage."""
    stages = Counter()
    for check in report["checks"]:
        stages.update(check[side]["seconds"])
    return stages


def show(title, report, wall, processor):
    checks = report["totals"]["checks"]
    print(f"{title}: {checks:,} checks, {report['totals']['verdicts']['agree']:,} agree")
    print(f"  whole command          {wall:8.2f} s wall, {processor:.2f} s processor")
    print(f"  checks a second        {checks / wall:8.0f} by wall, {checks / processor:.0f} by CPU")
    asked = report["seconds"]
    print(f"  of this asked, judged  {asked:8.2f} s wall, {checks / asked:.0f} checks a second")
    return checks


def recorded(count):
    """How fast recorded answers are judged."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copies(folder, count)
        report, wall, processor = timed_run(folder, "--oracle", "recorded")
        checks = show("recorded", report, wall, processor)
        shutil.rmtree(folder / "cases")
        shutil.copytree(TUTORIAL, folder / "cases" / "tutorial_000")
        few, few_wall, few_processor = timed_run(folder, "--oracle", "recorded")
        few_checks = few["totals"]["checks"]
        rate = (checks - few_checks) / (wall - few_wall)
        by_processor = (checks - few_checks) / (processor - few_processor)
        print(f"  start                  {few_wall - few_checks / rate:8.2f} s wall")
        print(f"  without the start      {rate:8.0f} by wall, {by_processor:.0f} by CPU")
        print(f"  of this numpy_tf's own {sum(work(report, 'implementation').values()):8.2f} s")


def live(count):
    """What a live run costs beside the work of TensorFlow and of the implementation."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copies(folder, count)
        pure_wall, pure_processor = pure_work(folder)
        report, wall, processor = timed_run(folder)
        checks = show("live", report, wall, processor)
        shutil.rmtree(folder / "cases")
        shutil.copytree(TUTORIAL, folder / "cases" / "tutorial_000")
        few, few_wall, few_processor = timed_run(folder)
        share = (checks - few["totals"]["checks"]) / checks
        print(f"  TensorFlow's own work  {pure_wall:8.2f} s wall, {pure_processor:.2f} s processor")
        print(
            f"  numpy_tf's own work    {sum(work(report, 'implementation').values()):8.2f} s wall"
        )
        print(
            f"  whole / TensorFlow's   {wall / pure_wall:8.2f} by wall, "
            f"{processor / pure_processor:.2f} by processor"
        )
        print(
            f"  without the start      {(wall - few_wall) / (pure_wall * share):8.2f} by wall, "
            f"{(processor - few_processor) / (pure_processor * share):.2f} by processor"
        )


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=["recorded", "live"])
    parser.add_argument("--copies", type=int, default=40, help="of the tutorial's 90 checks")
    arguments = parser.parse_args()
    for part, measure in (("recorded", recorded), ("live", live)):
        if arguments.part in (None, part):
            measure(arguments.copies)


if __name__ == "__main__":
    main()
