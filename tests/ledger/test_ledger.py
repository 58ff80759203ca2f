"""The ledger excuses just what it describes; all else that becomes of an entry fails the run."""

from datetime import date
from pathlib import Path

import pytest

from gradparity import ledger
from gradparity.judge.verdict import Word
from gradparity.language import yaml_source
from gradparity.language.problems import CaseErrors

TODAY = date(2026, 6, 1)
ORACLE = {"tf1": {"version": "2.21.0"}, "v2": {"version": "2.21.0"}}
PATH = Path("known_divergences.yaml")


def written(text):
    """The ledger with one entry, of which only what matters is written."""
    return ledger.from_document(yaml_source.parse(text, PATH))


def entry(extra="", checks="a/b::*", kind="value"):
    lines = [f"checks: {checks!r}", f"kind: {kind}", "reason: as NumPy has it", *extra.split("\n")]
    return written("divergences:\n  - " + "\n    ".join(filter(None, lines)) + "\n")


def judged(book, result):
    return book.applied(result, ORACLE, TODAY).verdict


def test_a_difference_of_the_kind_described_is_known_and_the_reason_is_told(result):
    verdict = judged(entry(), result("a/b::z~x"))
    assert verdict.word is Word.KNOWN
    assert verdict.reason == "as NumPy has it (known_divergences.yaml:2); 3.0 and 4.0"
    assert verdict.differences


def test_agreement_where_a_difference_is_known_is_healed(result):
    verdict = judged(entry(), result("a/b::z~x", Word.AGREE))
    assert verdict.word is Word.HEALED
    assert not verdict.word.passes
    assert "known_divergences.yaml:2 says that it differs in value" in verdict.reason


@pytest.mark.parametrize("kinds", [["none"], ["shape", "value"]])
def test_a_difference_of_another_kind_or_of_one_more_still_differs(result, kinds):
    verdict = judged(entry(), result("a/b::z~x", kinds=kinds))
    assert verdict.word is Word.DIFFER
    found = " and ".join(kinds)
    assert verdict.reason.endswith(f"it says value, found is {found}")


def test_two_kinds_are_known_together(result):
    book = entry(kind="[shape, value]")
    assert judged(book, result("a/b::x", kinds=["shape", "value"])).word is Word.KNOWN
    assert judged(book, result("a/b::x", kinds=["value"])).word is Word.DIFFER


def test_a_difference_that_no_longer_reads_as_described_differs(result):
    book = entry('match: "^3\\\\.0"')
    assert judged(book, result("a/b::x", reason="3.0 and 4.0")).word is Word.KNOWN
    verdict = judged(book, result("a/b::x", reason="5.0 and 4.0"))
    assert verdict.word is Word.DIFFER
    assert "is not found in the difference" in verdict.reason


def test_an_op_that_is_lacking_can_be_known(result):
    book = entry(kind="unsupported")
    assert judged(book, result("a/b::x", Word.UNSUPPORTED)).word is Word.KNOWN
    assert judged(entry(), result("a/b::x", Word.UNSUPPORTED)).word is Word.UNSUPPORTED


@pytest.mark.parametrize("word", [Word.CRASHED, Word.TIMED_OUT, Word.VACUOUS, Word.UNCHECKED])
def test_what_could_not_be_compared_is_never_excused(result, word):
    assert judged(entry(), result("a/b::x", word)).word is word


def test_an_entry_counts_until_the_day_on_which_it_expires(result):
    assert judged(entry("expires: 2026-06-02"), result("a/b::x")).word is Word.KNOWN
    verdict = judged(entry("expires: 2026-06-01"), result("a/b::x"))
    assert verdict.word is Word.DIFFER
    assert verdict.reason.endswith("it was known (known_divergences.yaml:2) until 2026-06-01")


def test_other_checks_profiles_and_versions_are_left_alone(result):
    other = result("a/c::x")
    assert entry().applied(other, ORACLE, TODAY) is other
    v2 = result("a/b::x", profile="v2")
    assert judged(entry("profiles: v2"), v2).word is Word.KNOWN
    assert entry("profiles: tf1").applied(v2, ORACLE, TODAY) is v2
    assert judged(entry('oracles: ["1.15.*", "2.21.*"]'), v2).word is Word.KNOWN
    assert entry('oracles: "1.15.*"').applied(v2, ORACLE, TODAY) is v2


def test_every_entry_that_speaks_of_a_check_must_describe_it(result):
    book = written(
        "divergences:\n"
        "  - {checks: 'a/*', kind: value, reason: one}\n"
        "  - {checks: 'a/b::*', kind: dtype, reason: other}\n"
    )
    assert judged(book, result("a/b::x")).word is Word.DIFFER
    assert judged(book, result("a/c::x")).word is Word.KNOWN


def test_an_entry_that_matches_no_check_of_the_corpus_is_a_problem(check):
    checks = [check("a/b::x", "tf1")]
    assert entry().problems(checks, TODAY) == []
    [problem] = entry(checks="a/q::*").problems(checks, TODAY)
    assert problem.startswith("known_divergences.yaml:2: no check of the corpus matches 'a/q::*'")
    [problem] = entry("profiles: v2").problems(checks, TODAY)
    assert "in profile v2" in problem


def test_an_entry_that_has_expired_is_a_problem_even_where_nothing_differs(check):
    book = entry('expires: 2026-01-01\noracles: "1.15.*"')
    [problem] = book.problems([check("a/b::x")], TODAY)
    assert problem == "known_divergences.yaml:2: the entry has expired on 2026-01-01"


@pytest.mark.parametrize("id", ["a/b::z*w~x[tf1]", "a/b::z[0]~x,y[float32,v2]", "a::f(x)+1~x"])
def test_every_id_matches_itself_brackets_and_all(id):
    assert ledger.matches(id, id)
    assert not ledger.matches(id, id + "x")
    assert ledger.matches(id[:3] + "*", id)


def test_a_question_mark_is_one_character():
    assert ledger.matches("a/0?::x", "a/01::x")
    assert not ledger.matches("a/0?::x", "a/0::x")


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("- checks: a\n", 1, 1, "a ledger is a mapping with the key `divergences`"),
        ("divergences: 3\n", 1, 14, "`divergences` must be a list"),
        ("divergences: []\nwrong: 1\n", 2, 1, "unknown key 'wrong'"),
        ("divergences:\n  - a\n", 2, 5, "an entry is a mapping with the keys checks, kind"),
        ("divergences:\n  - {checks: a, kind: value}\n", 2, 5, "the entry has no `reason`"),
        ("divergences:\n  - {checks: a, kind: value, reason: ' '}\n", 2, 38, "not empty"),
        ("divergences:\n  - {checks: a, kind: vale, reason: b}\n", 2, 23, "did you mean 'value'"),
        ("divergences:\n  - {checks: a, kind: [], reason: b}\n", 2, 23, "one or a list of"),
        ("divergences:\n  - {checks: a, kind: value, reson: b}\n", 2, 30, "unknown key 'reson'"),
        (
            "divergences:\n  - {checks: a, kind: value, reason: b, expires: soon}\n",
            2,
            50,
            "`expires` must be a day, YYYY-MM-DD",
        ),
        (
            "divergences:\n  - {checks: a, kind: value, reason: b, match: '('}\n",
            2,
            48,
            "must be a regular expression",
        ),
        (
            "divergences:\n  - {checks: a, kind: value, reason: b, oracles: 2.21}\n",
            2,
            50,
            "in quotes",
        ),
        ("divergences: [}\n", 1, 15, "not valid YAML"),
    ],
)
def test_a_malformed_ledger_is_refused_with_its_place(text, line, column, message):
    with pytest.raises(CaseErrors) as caught:
        written(text)
    [problem] = [p for p in caught.value.problems if message in p.render()]
    assert (problem.position.line, problem.position.column) == (line, column)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    with pytest.raises(CaseErrors) as caught:
        written("divergences:\n  - {checks: a, kind: value}\n  - {checks: '', kind: no}\nmore: 1\n")
    assert [p.position.line for p in caught.value.problems] == [2, 3, 3, 3, 4]


def test_the_ledger_of_a_package_is_in_it_and_that_of_a_file_beside_it(tmp_path):
    package = tmp_path / "wearing"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    (package / "inner" / "__init__.py").write_text("")
    (package / "inner" / "leaf.py").write_text("")
    (tmp_path / "single.py").write_text("raise AssertionError('imported')\n")
    paths = [str(tmp_path)]
    name = "known_divergences.yaml"
    assert ledger.beside("wearing", paths) == package / name
    assert ledger.beside("wearing.inner", paths) == package / "inner" / name
    assert ledger.beside("wearing.inner.leaf", paths) == package / "inner" / f"leaf.{name}"
    assert ledger.beside("single", paths) == tmp_path / f"single.{name}"
    assert ledger.beside("single.part", paths) is None
    assert ledger.beside("nowhere_to_be_found", paths) is None
    assert ledger.beside("sys", paths) is None


def test_the_ledger_of_numpy_tf_is_well_formed():
    path = ledger.beside("numpy_tf")
    assert path is not None
    assert ledger.load(path).path == path
