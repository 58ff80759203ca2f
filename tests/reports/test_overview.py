"""The overview: families, bars and cells count what the run found; its index loses nothing."""

import json
from pathlib import Path

import pytest

from gradparity.comparison.report import Report
from gradparity.judge.verdict import Comparison, Rule, Word
from gradparity.reports import write_all
from gradparity.reports.document import document
from gradparity.reports.overview import (
    EXACTNESS,
    FACETS,
    NO_FOLDER,
    SINGLE,
    columns,
    exactness,
    families,
    family,
    index,
    step,
)
from gradparity.reports.pages import anchor, pages

REGISTRY = {
    "tensorflow": "2.21.0",
    "gradient functions": {"Mul": "CPU", "Sin": "CPU", "TopK": "CPU"},
    "not differentiable": {"Sign": "CPU"},
    "unregistered": {"TileGrad": "CPU"},
    "removed": {"TopK": "Use TopKV2 instead"},
    "families": {"math": "Mul Sin", "nn": "TopK"},
}


def cases_of(data):
    return [
        {**case, "checks": [c for c in data["checks"] if c["case"] == case["name"]]}
        for case in data["cases"]
    ]


def overview_of(run, earlier=None, **more):
    return pages(document(run, earlier, **more))["report.html"]


@pytest.mark.parametrize(
    "name, folders",
    [
        ("ops/math/Sin", "ops/math"),
        ("ops/math/unary/Sin", "ops/math"),
        ("tutorial/diamond", "tutorial"),
        ("alone", NO_FOLDER),
    ],
)
def test_a_family_is_the_first_folders_of_a_cases_name(name, folders):
    assert family(name) == folders


def test_families_count_verdicts_and_exactness(make):
    run = make.run(
        make.agreeing(of=make.case("ops/math/Sin"), query="one"),
        make.differing(of=make.case("ops/math/Cos")),
        make.result(Word.AGREE, "Both raise.", of=make.case("ops/math/Sin"), query="two"),
        make.agreeing(of=make.case("tutorial/diamond")),
        make.agreeing(of=make.case("ops/nn/Relu")),
    )
    groups = families(document(run))
    assert {name: [one.name for one in rows] for name, rows in groups.items()} == {
        "ops": ["ops/math", "ops/nn"],
        SINGLE: ["tutorial"],
    }
    math = groups["ops"][0]
    assert math.cases == 2
    assert math.verdicts == {"agree": 2, "differ": 1}
    assert math.rules == {"bits": 1, "nothing": 1}
    assert math.compared == 1


def test_two_columns_hold_all_groups_in_their_order():
    groups = {"a": [1] * 18, "b": [1] * 9, "c": [1] * 3}
    assert [list(column) for column in columns(groups)] == [["a"], ["b", "c"]]
    assert columns({"a": [1]}) == [{"a": [1]}]
    assert columns({}) == []


@pytest.mark.parametrize(
    "count, darkness", [(0, 0), (1, 1), (5, 2), (24, 2), (25, 3), (75, 4), (100, 4)]
)
def test_a_cell_is_darker_for_a_larger_share(count, darkness):
    assert step(count, 100) == darkness


def test_every_rule_of_agreement_has_a_symbol_of_its_own():
    assert set(EXACTNESS) == {*(rule.value for rule in Rule), "nothing"}
    assert len({shown.symbol for shown in EXACTNESS.values()}) == len(EXACTNESS)


def test_exactness_counts_each_check_that_agrees_once(make):
    values = make.outcome(make.dense([1.0]))
    rules = [Comparison("gradient 0 (w1)", rule, 1) for rule in (Rule.BITS, Rule.ULP)]
    ulp = make.result(query="ulp", oracle=values, implementation=values, comparisons=rules)
    bar = exactness(document(make.run(make.agreeing(), ulp, make.differing()))["totals"])
    assert [(part.name, part.count) for part in bar] == [("bits", 1), ("ulp", 1)]


def test_the_index_holds_every_value_of_every_check(make):
    data = document(make.every_word())
    cases = cases_of(data)
    read = json.loads(index(cases, anchor))
    assert read["facets"] == list(FACETS)
    for case, (family_number, numbers, anchors) in zip(cases, read["cases"], strict=True):
        assert read["values"]["family"][family_number] == family(case["name"])
        assert anchors == [anchor(check) for check in case["checks"]]
        for check, number in zip(case["checks"], numbers, strict=True):
            for name, code in zip(read["facets"], read["combinations"][number], strict=True):
                values = read["values"][name]
                if name in read["sets"]:
                    found = tuple(values[one] for one in read["sets"][name][code])
                else:
                    found = values[code]
                assert found == FACETS[name](check), name


def test_checks_are_found_by_dtype_and_op(make):
    mixed = make.outcome(
        make.dense([1.0]),
        make.sparse([[2]], [0], None),
        None,
        op_types=("Mul", "GatherV2"),
        gradient_calls={"1 float64": "Exp"},
    )
    (check,) = document(make.run(make.result(oracle=mixed, xs="abc")))["checks"]
    assert FACETS["dtype"](check) == ("float64", "int64")
    assert FACETS["op"](check) == ("Exp", "GatherV2", "Mul")


def test_no_tag_can_begin_in_the_index(make):
    evil = make.case("a/</script><script>")
    assert "<" not in index(cases_of(document(make.run(make.differing(of=evil)))), anchor)


def test_ten_thousand_checks_have_a_small_index(make):
    cases = cases_of(document(make.many(checks=2_000)))
    assert len(index(cases, anchor)) < 2_000 * 40


def test_what_got_worse_is_told_with_links_and_first(make):
    before, after = document(make.run(make.agreeing())), make.run(make.differing())
    before["checks"][0]["oracle"] = document(after)["checks"][0]["oracle"]
    text = overview_of(after, Report(Path(), before))
    assert '<p class="worse">1 worse</p>' in text
    assert "agree → differ, because of the implementation" in text
    assert text.index("1 worse") < text.index("Checks that fail")


def test_a_first_run_and_an_equal_one_say_so(make):
    run = make.run(make.agreeing())
    assert "There was no earlier run" in overview_of(run)
    assert "Nothing changed" in overview_of(run, Report(Path(), document(run)))


def test_the_coverage_map_comes_with_the_report_where_the_registry_is_known(make):
    files = pages(document(make.run(make.agreeing()), registry=REGISTRY))
    assert '<a href="coverage.html">1 of 2 gradient functions</a>' in files["report.html"]
    assert 'title="Mul: covered; 1 agree; orders and dtypes: 1 float32"' in files["coverage.html"]
    assert "coverage.html" not in pages(document(make.run(make.agreeing())))


def test_a_coverage_map_of_an_earlier_report_goes(make, in_tmp):
    run, folder = make.run(make.agreeing()), Path("report")
    write_all(run, folder, registry=REGISTRY)
    assert (folder / "coverage.html").exists()
    write_all(run, folder)
    assert not (folder / "coverage.html").exists()


def test_a_report_from_before_there_were_changes_can_be_rendered(make):
    data = document(make.run(make.differing()))
    for key in ("changes", "registry"):
        del data[key]
    assert "There was no earlier run" in pages(data)["report.html"]
