"""A real report, opened in a real headless Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
MUTANTS = ROOT / "tests" / "mutants"
MUTANT = "gather_duplicates_dropped"
CASES = ("cases/tutorial", "cases/contract/a09_indexed_slices")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NO_BROWSER = (
    "No Chromium was found: THE BROWSER TESTS WERE NOT RUN. Install one (on Debian: apt-get "
    "install chromium; anywhere: playwright install chromium), or name it in GRADPARITY_BROWSER."
)


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; without one on the machine, and there alone, tests are skipped.

    A browser is a program of the system: no pin of ours can install one.
    """
    named = os.environ.get("GRADPARITY_BROWSER")
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = [path for name in BROWSERS if (path := shutil.which(name))]
        path = named or next(iter([*found, *([own] if Path(own).exists() else [])]), None)
        if path is None:
            pytest.skip(NO_BROWSER)
        running = playwright.chromium.launch(executable_path=path)
        yield running
        running.close()


def run(folder, impl):
    """Judges some cases by their recordings; exits 0 or 1, as all pass or not."""
    command = [sys.executable, "-m", "gradparity", "run", *CASES, "--oracle", "recorded"]
    command += ["--arbiter", "none", "--blame", "0", "--impl", impl, "--report", str(folder)]
    paths = [str(MUTANTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The report of a wrong implementation, after that of the right one in the same place."""
    folder = tmp_path_factory.mktemp("browser") / "report"
    run(folder, "numpy_tf")
    run(folder, MUTANT)
    return folder


@pytest.fixture(scope="session")
def document(folder):
    return json.loads((folder / "report.json").read_text("utf-8"))


@pytest.fixture
def open_page(browser, folder):
    """Opens a page of the report: open_page("report.html#verdict=differ", width=360).

    An error in a script, and a request for anything outside of the folder, fails the test.
    """
    contexts, wrong = [], []

    def opened(name="report.html", width=1280, height=800, scripts=True, **settings):
        context = browser.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=scripts, **settings
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if outside(request) else None)
        page.goto(f"{folder.as_uri()}/{name}")
        return page

    def outside(request):
        return not request.url.startswith((folder.as_uri(), "data:"))

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture
def failing(document):
    """The checks that fail."""
    found = [check for check in document["checks"] if check["verdict"] != "agree"]
    assert found
    return found
