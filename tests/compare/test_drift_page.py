"""The drift page: differences by cause, and nothing that is missing is dropped in silence."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from gradparity.comparison.answers import Change, Kind

TOOL = Path(__file__).parents[2] / "tools" / "drift_page.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("drift_page", TOOL)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["drift_page"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["drift_page"]


@pytest.fixture
def cause(tool):
    def make(title="A cause", **where):
        return tool.Cause(title, "It was so.", ("a source",), **where)

    return make


@pytest.fixture
def versions(make, written):
    """Reports of all versions, of which 1.15 and 2.12 answer some checks otherwise."""
    other = make.outcome(None)
    lacking = make.outcome(
        error=make.error("AttributeError", "module 'tf' has no attribute 'old_name'", "build")
    )

    def report(version, full, **answers):
        checks = (
            make.check(f"a/{name}::y~x", oracle=answers.get(name))
            for name in ("same", "none", "name", "value")
        )
        oracle = {"version": full, "python": "3.7", "numpy": "1", "namespace": "tensorflow"}
        content = make.document(*checks, oracle={"tf1": oracle})
        return written.report(version, content)

    value = make.outcome(make.tensor(1.0, 5.0))
    return {
        "1.15": report("1.15", "1.15.5", none=other, name=lacking, value=value),
        "2.12": report("2.12", "2.12.1", none=other),
        "2.15": report("2.15", "2.15.1"),
        "2.18": report("2.18", "2.18.1"),
        "2.21": report("2.21", "2.21.0"),
    }


def test_each_difference_stands_under_its_cause_with_each_versions_answer(tool, cause, versions):
    known = [cause("None became a gradient", kinds=frozenset({Kind.NONE}))]
    text = tool.Page(versions, known).text()
    assert "### None became a gradient" in text
    assert "1.15.5 to 2.12.1: `None`<br>2.15.1 to 2.21.0: `float32 [2] [1.0, 2.0]`" in text
    assert "Checks that differ from 2.21.0: 1.15.5: 1, 2.12.1: 1." in text
    assert "| 1.15.5 → 2.21.0 | 1 | 1 | 1 | 1 |" in text
    assert "| 2.12.1 → 2.15.1 | 3 | 0 | 1 | 0 |" in text


def test_a_name_that_is_missing_is_no_difference_of_semantics(tool, cause, versions):
    text = tool.Page(versions, [cause(kinds=frozenset({Kind.NONE}))]).text()
    assert "| `old_name` | 1.15.5 | 1 | [name]" in text


def test_a_difference_without_a_cause_is_shown_as_unexplained(tool, cause, versions):
    text = tool.Page(versions, [cause(kinds=frozenset({Kind.NONE}))]).text()
    unexplained = text[text.index("## Not explained") :]
    assert "a/value" not in text[: text.index("## Not explained")]
    assert "first at `5.0` → `2.0`" in unexplained


def test_a_version_that_could_not_be_asked_is_shown_as_missing(tool, cause, versions):
    versions["2.12"] = None
    text = tool.Page(versions, [cause(kinds=frozenset({Kind.NONE}))]).text()
    assert "| 2.12 | missing: not asked |" in text
    assert "| 2.12 → 2.21.0 | missing: no 2.12 |" in text
    assert "| 1.15.5 → 2.12 | missing: no 2.12 |" in text
    assert "2.12: `missing`" in text


def test_a_cause_that_explains_nothing_is_an_error(tool, cause, versions):
    idle = cause("Never seen", kinds=frozenset({Kind.DTYPE}))
    with pytest.raises(tool.DriftError, match=r"explain nothing.*Never seen"):
        tool.Page(versions, [idle])
    versions["2.12"] = None  # what it explains may be what is missing
    assert "Never seen" not in tool.Page(versions, [idle]).text()


def test_brackets_in_patterns_are_those_of_ids(tool, cause):
    pattern = cause(checks=("a/b::y~x[float32,*",))
    change = Change("gradient 0 (x)", Kind.VALUE, "1.0", "2.0")
    assert pattern.explains(tool.Difference("a/b::y~x[float32,tf1]", "1.15", change))


def test_a_cause_can_ask_for_more_than_the_first_element_that_differs(tool, cause):
    only_signs = cause(detail=r"differ; signs of zero differ in \d+$")
    detail = "2 of 9 elements differ; signs of zero differ in 2"
    signs = Change("gradient 0 (x)", Kind.VALUE, "0.0", "-0.0", detail=detail)
    values = replace(signs, detail=detail + "; worst 3 ulp at [4]")
    assert only_signs.explains(tool.Difference("a/b::y~x", "1.15", signs))
    assert not only_signs.explains(tool.Difference("a/b::y~x", "1.15", values))


@pytest.mark.parametrize(
    ("dtype", "before", "after", "eps"),
    [
        ("float32", ["1.0", "1024.0"], ["1.0000001", "1024.0"], 1 / 1024),
        ("float64", ["8.0", "nan", "inf"], ["8.000000000000002", "nan", "inf"], 1.0),
        ("complex64", ["(1+0j)"], ["(1+1.1920929e-07j)"], 1.0),
        ("bfloat16", ["256"], ["258"], 128 / 129),
        ("float32", ["0.0", "inf"], ["-0.0", "inf"], 0.0),
    ],
)
def test_a_distance_is_in_eps_of_the_tensors_largest_element(tool, dtype, before, after, eps):
    def tensor(values):
        return {"dtype": dtype, "shape": [len(values)], "values": values}

    assert tool.distance(tensor(before), tensor(after)) == pytest.approx(eps)


def test_differences_of_bits_are_measured_family_by_family(tool, cause, versions, make, written):
    near, far = make.outcome(make.tensor(1.0, 2.0)), make.outcome(make.tensor(1.0, 2.0000005))
    for version, answer in (("2.18", far), ("2.21", near)):
        check = make.check("ops/math/Sin::y~x", oracle=answer, implementation=near)
        oracle = {"version": version, "python": "3.11", "numpy": "2", "namespace": "tensorflow"}
        content = make.document(check, oracle={"tf1": oracle})
        versions[version] = written.report(f"bits-{version}", content)
    for older in ("1.15", "2.12", "2.15"):
        versions[older] = None
    page = tool.Page(versions, [cause("Bits", kinds=frozenset({Kind.BITS, Kind.VALUE}))])
    assert [d.change.kind for d in page.against] == [Kind.BITS], page.against
    assert "| ops/math | 1 | 2 | [`ops/math/Sin::y~x`]" in page.text()


def test_without_the_newest_version_nothing_can_be_said(tool, tmp_path):
    with pytest.raises(tool.DriftError, match="gradparity run cases --report"):
        tool.reports(tmp_path, {})


def test_the_causes_are_all_complete(tool):
    known = tool.causes()
    assert len(known) > 10
    assert len({cause.title for cause in known}) == len(known)
    assert all(cause.why and cause.evidence for cause in known)


def test_an_entry_with_an_unknown_key_is_refused(tool, tmp_path):
    path = tmp_path / "causes.yaml"
    path.write_text("- {title: A, why: b, evidence: [c], where: {case: x}}\n")
    with pytest.raises(tool.DriftError, match="unknown keys"):
        tool.causes(path)
