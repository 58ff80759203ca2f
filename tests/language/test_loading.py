"""Case files are found, named and reported together."""

from pathlib import Path

import pytest

from gradparity.language import loading
from gradparity.language.problems import CaseErrors

VALID = "about: a\ninputs: {w: {variable: 1}}\ngradients: [{ys: w, xs: w}]\n"


@pytest.fixture
def corpus(tmp_path):
    """A folder with two valid cases and what is not a case."""
    for name in ("cases/b.yaml", "cases/tutorial/a.yml", "cases/.hidden/c.yaml", "cases/.d.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(VALID)
    (tmp_path / "cases/README.md").write_text("not a case")
    return tmp_path / "cases"


def ids(checks):
    return [check.id for check in checks]


def test_cases_are_found_below_a_folder_in_order(corpus):
    assert ids(loading.load([corpus])) == ["b::w~w", "tutorial/a::w~w"]


def test_a_check_has_the_same_id_however_its_file_is_reached(corpus, monkeypatch):
    expected = ["tutorial/a::w~w"]
    assert ids(loading.load([corpus / "tutorial"])) == expected
    assert ids(loading.load([corpus / "tutorial" / "a.yml"])) == expected
    monkeypatch.chdir(corpus / "tutorial")
    assert ids(loading.load([Path("a.yml")])) == expected
    assert ids(loading.load(["."])) == expected
    assert ids(loading.load_file("a.yml")) == expected


def test_a_root_can_be_given(corpus):
    assert ids(loading.load([corpus], root=corpus.parent))[0] == "cases/b::w~w"


def test_a_file_outside_any_corpus_is_named_by_its_folder(tmp_path):
    (tmp_path / "mine.yaml").write_text(VALID)
    assert ids(loading.load([tmp_path / "mine.yaml"])) == ["mine::w~w"]
    assert ids(loading.load([tmp_path])) == ["mine::w~w"]


def test_a_file_that_is_named_twice_is_loaded_once(corpus):
    assert len(loading.load([corpus, corpus / "b.yaml", corpus])) == 2


def test_the_problems_of_all_files_are_reported_together(corpus):
    (corpus / "bad1.yaml").write_text("abuot: a\ngradients: []\n")
    (corpus / "bad2.yaml").write_text("about: [\n")
    with pytest.raises(CaseErrors) as raised:
        loading.load([corpus])
    found = [(p.position.path.name, p.position.line) for p in raised.value.problems]
    assert found == [("bad1.yaml", 1), ("bad1.yaml", 1), ("bad1.yaml", 2), ("bad2.yaml", 2)]


def test_what_is_valid_is_loaded_beside_what_is_not(corpus):
    (corpus / "bad.yaml").write_text("about: a\n")
    found = loading.read([corpus])
    assert ids(found.checks) == ["b::w~w", "tutorial/a::w~w"]
    assert len(found.files) == 3
    assert len(found.problems) == 1


def test_a_path_that_is_not_there_is_a_problem(tmp_path):
    with pytest.raises(CaseErrors, match="no such file or folder"):
        loading.load([tmp_path / "none"])


def test_a_folder_without_cases_is_a_problem(tmp_path):
    with pytest.raises(CaseErrors, match="no case files here"):
        loading.load([tmp_path])


def test_the_example_of_the_documentation_is_valid(tmp_path):
    page = Path(__file__).parents[2] / "docs/case-language.md"
    example = page.read_text("utf-8").partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "example.yaml"
    path.write_text(example, "utf-8")
    assert ids(loading.load([path])) == [
        "example::z1,z2~w1,w2,w3",
        "example::through-the-op@z2",
        "example::z1,z2~w1",
    ]
