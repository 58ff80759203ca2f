"""The page on TensorFlow's modes: each difference under what explains it, or by itself."""

import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "against_itself_page.py"
RULES = ("nothing", "bits", "ulp", "scale")
OTHER_WORDS = ("agree", "differ", "unsupported", "crashed")


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("against_itself_page", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(id, verdict="agree", kind=None, reason="equal bit for bit"):
    case = id.partition("::")[0]
    return {"id": id, "case": case, "verdict": verdict, "kind": kind, "reason": reason}


def report(*checks):
    verdicts = {word: sum(c["verdict"] == word for c in checks) for word in OTHER_WORDS}
    agreement = {rule: {"checks": 0, "max_ulp": None} for rule in RULES}
    agreement["bits"]["checks"] = verdicts["agree"]
    totals = {"checks": len(checks), "verdicts": verdicts, "agreement": agreement}
    return {"oracle": {"tf1": {"version": "2.21.0"}}, "totals": totals, "checks": list(checks)}


DIFFERENT = check("ops/nn/Conv2D::groups", "differ", "error", "TensorFlow raises ValueError")
SAME = check("ops/nn/Relu::y~x")


def test_a_difference_stands_under_the_first_explanation_that_fits(tool):
    groups = [
        {"mode": "xla", "why": "Of another mode."},
        {"mode": "onednn", "checks": ["ops/nn/*"], "kind": "value", "why": "Of another kind."},
        {"mode": "onednn", "checks": ["ops/nn/*"], "reason": "raises", "why": "It refuses."},
        {"mode": "onednn", "why": "Anything."},
    ]
    text = tool.rendered({"onednn": report(SAME, DIFFERENT)}, groups)
    assert "| 1 | error | It refuses. | `ops/nn/Conv2D::groups` |" in text
    assert "Unexplained" not in text


def test_a_difference_that_nothing_explains_is_named_with_its_reason(tool):
    text = tool.rendered({"onednn": report(SAME, DIFFERENT)}, [])
    assert "Unexplained: 1." in text
    assert "- `ops/nn/Conv2D::groups`: TensorFlow raises ValueError" in text


def test_a_run_that_was_cut_short_says_which_checks_it_had_been_asked(tool):
    more = check("tutorial/diamond::y~x"), check("contract/a01_arguments/02_empty::none")
    text = tool.rendered({"tape": report(SAME, DIFFERENT, *more), "xla": report(SAME, more[0])}, [])
    assert "The corpus of these runs has 4 checks." in text
    assert ("Of `xla`, 2 were asked: all of tutorial; in part ops/nn (1 of 2); no other.") in text
    assert "Of `tape`" not in text


@pytest.mark.parametrize(
    "group", ["{mode: cuda, why: a}", "{mode: xla}", "{mode: xla, why: a, case: b}"]
)
def test_an_entry_that_explains_nothing_is_refused(tool, tmp_path, group):
    path = tmp_path / "groups.yaml"
    path.write_text(f"groups: [{group}]")
    with pytest.raises(ValueError, match="explains nothing"):
        tool.known_groups(path)


def test_the_explanations_are_all_complete(tool):
    known = tool.known_groups()
    assert {group["mode"] for group in known} == set(tool.MODES)
    assert len({(group["mode"], group["why"]) for group in known}) == len(known)
