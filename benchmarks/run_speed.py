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


def timed_run(folder, *options):
    """One whole command on one core: (report, wall seconds, processor seconds)."""
    report = folder / "report"
    command = [sys.executable, "-m", "gradparity", "run", str(folder / "cases"), *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [*command, "--jobs", "1", "--report", str(report)],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads((report / "report.json").read_text("utf-8")), wall, processor


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
        report, wall, processor = timed_run(folder)
        show("live", report, wall, processor)
        oracle, implementation = work(report, "oracle"), work(report, "implementation")
        pure = sum(oracle.values())
        print(f"  TensorFlow's own work  {pure:8.2f} s ({dict(oracle)})")
        print(f"  numpy_tf's own work    {sum(implementation.values()):8.2f} s")
        print(f"  whole / TensorFlow     {wall / pure:8.2f}")


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
