"""How large the reports of ten thousand checks are, how long to write, how long to open.

    python benchmarks/report_size.py                        # the whole corpus, and more of it
    python benchmarks/report_size.py --checks 30000
    PYTHONPATH=tests/mutants python benchmarks/report_size.py --impl gather_duplicates_dropped

The corpus is judged by its recordings, without TensorFlow; cases are repeated under other
names until there are enough checks. Without Chromium and playwright nothing is opened.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from gradparity import engine
from gradparity.language.loading import load
from gradparity.recordings import registry
from gradparity.recordings.source import RecordedOracle, open_store
from gradparity.reports import write_document
from gradparity.reports.document import document, to_text
from gradparity.reports.markdown import markdown
from gradparity.reports.pages import pages
from gradparity.results import CheckResult, RunRecord

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPENINGS = 5
OPENED = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return [page.domContentLoadedEventEnd, paint.startTime, page.loadEventEnd];
}"""
FILTERED = """(value) => {
  const form = document.getElementById("filter");
  const started = performance.now();
  form.elements.op.value = value;
  form.dispatchEvent(new Event("input", {bubbles: true}));
  document.body.getBoundingClientRect();
  return performance.now() - started;
}"""


def repeated(results: list[CheckResult], checks: int) -> list[CheckResult]:
    """The results, and those of copies of their cases, until there are so many."""
    found = list(results)
    for number in count(2):
        if len(found) >= checks:
            return found[:checks]
        for result in results:
            case = replace(result.check.case, name=f"{result.check.case.name}_{number}")
            id = result.check.id.replace("::", f"_{number}::", 1)
            found.append(replace(result, check=replace(result.check, id=id, case=case)))
    raise AssertionError


def timed(name: str, work: Callable[[], Any]) -> Any:
    """What the work returns; prints the wall and the processor time that it takes."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"  {name:<30}{wall:8.2f} s{processor:8.2f} s of processor")
    return result


def sizes(folder: Path) -> None:
    """Prints how large each kind of file is."""
    case_pages = [path.stat().st_size for path in (folder / "cases").rglob("*.html")]
    for name in ("report.html", "coverage.html", "report.json", "report.md"):
        print(f"  {name:<28}{(folder / name).stat().st_size / 1e6:8.2f} MB")
    print(
        f"  {len(case_pages):,} case pages{'':<14}{sum(case_pages) / 1e6:8.2f} MB, the largest "
        f"{max(case_pages) / 1e6:.2f} MB"
    )


def open_in_a_browser(folder: Path) -> None:
    """Prints how long the overview takes to open, and to be filtered."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("  not opened: playwright is not installed")
        return
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        print("  not opened: no Chromium was found")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        opened, filtered = [], []
        for _ in range(OPENINGS):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto((folder / "report.html").as_uri())
            page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            opened.append(page.evaluate(OPENED))
            filtered.append(page.evaluate(FILTERED, "MatMul"))
            page.close()
        browser.close()
    names = ("DOM content loaded", "first contentful paint", "load")
    for name, times in zip(names, zip(*opened, strict=True), strict=True):
        print(f"  {name:<28}{statistics.median(times):8.0f} ms")
    print(f"  {'one change of the filters':<28}{statistics.median(filtered):8.0f} ms")


def main() -> None:
    """Judges, writes, opens."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--impl", default="numpy_tf")
    parser.add_argument("--folder", type=Path, help="where to leave the report")
    arguments = parser.parse_args()

    checks = load([ROOT / "cases"])
    oracle = RecordedOracle(checks, open_store(ROOT / "recordings"))
    source = engine.side_source(arguments.impl)
    print("judge and write")
    run: RunRecord = timed(
        f"judge {len(checks):,} checks",
        lambda: engine.run(checks, implementation=source, oracle=oracle),
    )
    run.results = repeated(list(run.results), arguments.checks)
    version = {str(described["version"]) for described in run.oracle.values()}
    known = registry.known(ROOT / "recordings", version)
    data = timed(f"document of {len(run.results):,}", lambda: document(run, registry=known))
    timed("report.json as text", lambda: to_text(data))
    timed("report.md as text", lambda: markdown(data))
    timed("pages of HTML, one process", lambda: pages(data))
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary, "report")
        timed("all files, on all cores", lambda: write_document(data, folder))
        print("sizes")
        sizes(folder)
        print(f"open report.html, the median of {OPENINGS}")
        open_in_a_browser(folder)


if __name__ == "__main__":
    main()
