"""report.html: an index and one page for each case, from the templates beside this module."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from importlib import resources
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from gradparity import coverage
from gradparity.judge.verdict import Word
from gradparity.reports import arbitration, case_page, changes, overview, wording
from gradparity.reports import coverage as coverage_report
from gradparity.reports.code import highlight
from gradparity.reports.legend import LEGEND

if TYPE_CHECKING:
    from jinja2 import Environment

Json: TypeAlias = dict[str, Any]

INDEX_FAILURES = 1000  # listed in the index, so that it opens at once
INDEX_CHANGES = 200  # of each kind of change
UNFIT = r'[\x00-\x1f<>:"|?*\\\ud800-\udfff]'  # for a file name on some system
ASSETS = (
    "assets/report.css",
    "assets/overview.css",
    "assets/picture.css",
    "assets/case.css",
    "assets/report.js",
    "assets/coverage.js",
    "assets/case.js",
)


def pages(document: Json, part: int = 0, parts: int = 1) -> dict[str, str]:
    """The files of the HTML report: path below the report's folder -> text.

    Args:
      document: of a run.
      part: which part of the files is wanted, from 0: they are all there in the only one.
      parts: of how many. The pages of cases are dealt out in turn; the first part has
        everything else.
    """
    templates = environment(document)
    paths = page_paths(document["cases"])
    checks = defaultdict(list)
    for check in document["checks"]:
        checks[check["file"], check["case"]].append(check)
    cases = [
        {
            **case,
            "page": paths[case["file"], case["name"]],
            "checks": checks[case["file"], case["name"]],
            "verdicts": Counter(check["verdict"] for check in checks[case["file"], case["name"]]),
        }
        for case in document["cases"]
    ]
    files: dict[str, str] = {}
    if part == 0:
        files = {name: asset(name) for name in ASSETS}
        covered = None
        if document.get("registry"):
            covered = coverage.measure(document["registry"], document["checks"])
            files["coverage.html"] = coverage_report.page(covered, document)
        files["report.html"] = _index(document, templates, cases, paths, covered)
    template = templates.get_template("case.html")
    for before, case, after in islice(case_page.with_neighbours(cases), part, None, parts):
        root = "../" * case["page"].count("/")
        files[case["page"]] = template.render(root=root, case=case, before=before, after=after)
    return files


def page_names(document: Json) -> list[str]:
    """The files that `pages` makes, report.html first."""
    coverage_map = ["coverage.html"] if document.get("registry") else []
    return ["report.html", *coverage_map, *ASSETS, *page_paths(document["cases"]).values()]


def _index(
    document: Json,
    templates: Environment,
    cases: Sequence[Json],
    paths: Mapping[tuple[str, str], str],
    covered: coverage.Coverage | None,
) -> str:
    """report.html."""
    from markupsafe import Markup

    failures = [check for check in document["checks"] if wording.fails(check)]
    by_family: dict[str, list[Json]] = defaultdict(list)
    for case in cases:
        by_family[overview.family(case["name"])].append(case)
    listed = [case for rows in by_family.values() for case in rows]
    by_id = {check["id"]: check for check in document["checks"]}

    def link(id: str) -> str | None:
        """Where a check is shown; None when it is not in this run."""
        check = by_id.get(id)
        if check is None:
            return None
        return check_url(check, paths)

    groups = overview.families(document)
    occurring = {word: n for word, n in document["totals"]["verdicts"].items() if n}
    return templates.get_template("index.html").render(
        root="",
        LISTED=INDEX_CHANGES,
        overview=overview,
        coverage_line="" if covered is None else coverage_report.headline(covered),
        changes=changes,
        link=link,
        by_family=by_family,
        columns=overview.columns(groups),
        family_of={family.name: family for rows in groups.values() for family in rows},
        words=list(occurring),
        verdicts=overview.segments(occurring),
        failures=failures[:INDEX_FAILURES],
        failure_count=len(failures),
        data=Markup(overview.index(listed, anchor)),
    )


def environment(document: Json) -> Environment:
    """The templates' environment, with the filters and names that they use."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    class ItemsFirst(Environment):
        """Reads `check.id` as `check["id"]`: jinja2 would fail to find an attribute first."""

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, dict) and attribute in obj:
                return obj[attribute]
            return super().getattr(obj, attribute)

    templates = ItemsFirst(
        loader=PackageLoader("gradparity.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        anchor=anchor,
        duration=wording.duration,
        fails=wording.fails,
        highlight=highlight,
        legend=lambda word: LEGEND[Word(word)],
        number="{:,}".format,
        place=wording.place,
        plural=wording.plural,
        ulps=ulps,
        url=_url,
    )
    templates.globals.update(
        document=document,
        names=wording.names(document),
        wording=wording,
        arbitration=arbitration,
        sides=wording.SIDES,
        **case_page.NAMES,
    )
    return templates


def ulps(count: int) -> str:
    """A distance in ulps, short: "3,346 ulp", "8.7e18 ulp"."""
    return f"{count:,} ulp" if count < 10**9 else f"{count:.1e} ulp".replace("e+", "e")


def check_url(check: Json, paths: Mapping[tuple[str, str], str]) -> str:
    """Where a check is shown, for a page in the report's folder; `paths` is of `page_paths`."""
    return f"{_url(paths[check['file'], check['case']])}#{_url(anchor(check))}"


def _url(text: str) -> str:
    return quote(text, errors="backslashreplace")


def asset(name: str) -> str:
    """The text of a style sheet or script, by its name in `ASSETS`."""
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")


def page_paths(cases: Collection[Json]) -> dict[tuple[str, str], str]:
    """File and name of a case -> its page, below "cases/" and unique even where case is ignored."""
    paths: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for case in cases:
        parts = [re.sub(UNFIT, "_", part) for part in case["name"].split("/")]
        stem = "/".join(part if part.strip(". ") else "_" for part in parts)
        name, number = stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.lower())
        paths[case["file"], case["name"]] = f"cases/{name}.html"
    return paths


def anchor(check: Json) -> str:
    """The HTML id of a check on its case's page: its own id, less the case's name."""
    return re.sub(r"\s", "_", check["id"].split("::", 1)[-1])
