"""The overview in a browser: searched, filtered, remembered by its URL, and left for a case."""

import re

import pytest

from gradparity.reports.changes import agreement
from gradparity.reports.pages import anchor

SHOWN = "output[name=shown]"
ROWS = "table.cases tbody tr:not(.family)"


def shown(page):
    """The counts that are told: checks, and cases."""
    found = re.findall(r"\d[\d,]*", page.locator(SHOWN).text_content())
    numbers = [int(number.replace(",", "")) for number in found]
    return (numbers[0], numbers[2]) if len(numbers) == 4 else tuple(numbers)


def dtypes(check):
    results = [r for side in ("oracle", "implementation") for r in check[side]["gradients"]]
    results += [r for side in ("oracle", "implementation") for r in check[side]["ys"]]
    return {(r["values"] if r["kind"] == "sparse" else r)["dtype"] for r in results if r}


HAS = {
    "verdict": lambda check, value: check["verdict"] == value,
    "family": lambda check, value: check["case"].startswith(value + "/"),
    "op": lambda check, value: (
        value in {*check["oracle"]["op_types"], *check["oracle"]["gradient_functions"]}
    ),
    "dtype": lambda check, value: value in dtypes(check),
    "kind": lambda check, value: check["kind"] == value,
    "profile": lambda check, value: check["profile"] == value,
    "rule": lambda check, value: (
        check["verdict"] == "agree" and (agreement(check) or "nothing") == value
    ),
}
"""Facet -> whether a check of report.json has a value of it."""


def expected(document, **wanted):
    """How many checks, in how many cases, have all these values."""
    found = [
        check
        for check in document["checks"]
        if all(HAS[name](check, value) for name, value in wanted.items())
    ]
    return len(found), len({check["case"] for check in found})


def choose(page, name, value):
    control = page.locator(f"#filter [name={name}]")
    if name == "op":
        control.fill(value)
    else:
        control.select_option(value)


def test_nothing_is_filtered_at_first(open_page, document):
    page = open_page()
    assert shown(page) == expected(document)
    assert page.locator(f"{ROWS}:visible").count() == len(document["cases"])


@pytest.mark.parametrize(
    "name, value",
    [
        ("verdict", "differ"),
        ("family", "contract/a09_indexed_slices"),
        ("op", "GatherV2"),
        ("dtype", "float16"),
        ("kind", "value"),
        ("profile", "v2"),
        ("rule", "ulp"),
        ("rule", "nothing"),
    ],
)
def test_each_filter_shows_the_checks_that_have_the_value(open_page, document, name, value):
    page = open_page()
    choose(page, name, value)
    checks, cases = expected(document, **{name: value})
    assert 0 < checks < len(document["checks"])
    assert shown(page) == (checks, cases)
    assert page.locator(f"{ROWS}:visible").count() == cases


def test_filters_combine_and_each_option_tells_how_many_are_left(open_page, document):
    page = open_page()
    choose(page, "profile", "v2")
    choose(page, "op", "GatherV2")
    choose(page, "verdict", "differ")
    wanted = {"profile": "v2", "op": "GatherV2", "verdict": "differ"}
    assert shown(page) == expected(document, **wanted)
    for name, value in (("dtype", "float32"), ("verdict", "agree"), ("profile", "tf1")):
        option = page.locator(f"#filter [name={name}] option[value={value}]")
        checks, _ = expected(document, **{**wanted, name: value})
        assert option.text_content() == f"{value} ({checks:,})"


def test_part_of_an_ops_name_is_enough(open_page, document):
    page = open_page()
    choose(page, "op", "atherv")
    assert shown(page)[0] >= expected(document, op="GatherV2")[0]
    choose(page, "op", "no such op")
    assert page.locator("#nothing").is_visible()
    assert page.locator(f"{ROWS}:visible").count() == 0


def test_search_finds_cases_by_their_sentence_and_checks_by_their_id(open_page, document, failing):
    page = open_page()
    case = document["cases"][0]
    page.locator("#filter [name=text]").fill(case["about"][:30].upper())
    assert page.locator(f"{ROWS}:visible").count() == 1
    check = failing[0]
    page.locator("#filter [name=text]").fill(f"{check['case']} {anchor(check)}")
    assert page.locator(".matches a").first.text_content() == anchor(check)


def test_the_url_holds_the_filters_and_restores_them(open_page, document):
    page = open_page()
    choose(page, "verdict", "differ")
    choose(page, "op", "GatherV2")
    page.locator("#filter [name=text]").fill("slices")
    fragment = page.evaluate("location.hash").removeprefix("#")
    again = open_page(f"report.html#{fragment}")
    assert again.locator("#filter [name=op]").input_value() == "GatherV2"
    assert again.locator("#filter [name=verdict]").input_value() == "differ"
    assert again.locator("#filter [name=text]").input_value() == "slices"
    assert shown(again) == shown(page)
    assert shown(page) != expected(document)


def test_slash_goes_to_the_search_and_escape_clears_everything(open_page, document):
    page = open_page("report.html#verdict=differ")
    page.keyboard.press("/")
    page.keyboard.type("slices/66")
    search = page.locator("#filter [name=text]")
    assert search.input_value() == "slices/66"
    page.keyboard.press("Escape")
    assert search.input_value() == ""
    assert shown(page) == expected(document)
    assert page.evaluate("location.hash") == ""


def test_the_button_clears_everything(open_page, document):
    page = open_page("report.html#verdict=differ&profile=v2")
    page.get_by_role("button", name="Clear filters").click()
    assert shown(page) == expected(document)


def test_a_cell_of_the_table_of_families_filters_by_family_and_verdict(open_page, document):
    page = open_page()
    family = "contract/a09_indexed_slices"
    page.locator(f'.heat a[data-filter="family={family}&verdict=differ"]').click()
    wanted = expected(document, family=family, verdict="differ")
    assert wanted[0] > 0
    assert shown(page) == wanted


def test_what_got_worse_since_the_last_run_is_told_and_leads_to_the_checks(
    open_page, document, failing
):
    page = open_page()
    assert len(document["changes"]["worse"]) == len(failing)
    panel = page.get_by_role("region", name=re.compile("^Since the last run"))
    assert f"{len(failing)} worse" in panel.text_content()
    panel.get_by_role("link", name=failing[0]["id"]).click()
    assert page.url.partition("#")[0].endswith(f"cases/{failing[0]['case']}.html")


def test_a_matching_check_leads_to_its_place_on_the_cases_page(open_page, failing):
    page = open_page("report.html#verdict=differ")
    page.locator(".matches a").first.click()
    check = failing[0]
    place = page.locator(f'[id="{anchor(check)}"]')
    assert place.is_visible()
    assert check["reason"] in place.text_content()


def test_the_coverage_map_tells_of_each_op_and_leads_to_its_row(open_page, document):
    page = open_page()
    page.locator('a[href="coverage.html"]').click()
    tile = page.locator('.tile[href="#GatherV2"]')
    tile.hover()
    assert page.locator("#told").text_content().startswith("GatherV2: covered")
    tile.click()
    assert page.locator("tr:target th").text_content() == "GatherV2"


def test_the_coverage_map_shows_one_dtype_alone(open_page):
    page = open_page("coverage.html")
    covered = page.locator(".tile[data-orders]")
    page.get_by_role("radio", name="float64").check()
    lit = [
        tile.get_attribute("data-orders")
        for tile in covered.all()
        if "faded" not in tile.get_attribute("class")
    ]
    assert lit
    assert all("float64" in orders for orders in lit)
    assert len(lit) < covered.count()
    page.get_by_role("radio", name="any dtype").check()
    assert page.locator(".tile.faded").count() == 0
