"""YAML from a stranger: plain data with positions, or a refusal that says where."""

import math
import time
from pathlib import Path

import pytest

from gradparity.language import yaml_source
from gradparity.language.problems import CaseErrors, CaseProblem


def refusal(text: str) -> CaseProblem:
    started = time.perf_counter()
    with pytest.raises(CaseErrors) as raised:
        yaml_source.parse(text, Path("c.yaml"))
    assert time.perf_counter() - started < 2
    return raised.value.problems[0]


def place(problem: CaseProblem) -> tuple[int, int]:
    return problem.position.line, problem.position.column


def data(text: str):
    return yaml_source.parse(text, Path("c.yaml")).data


def test_a_duplicate_key_is_refused_where_it_stands_again():
    problem = refusal("about: a\ninputs: {}\nabout: b\n")
    assert place(problem) == (3, 1)
    assert problem.message == "duplicate key 'about'"
    assert "line 1" in problem.hint


def test_a_duplicate_key_in_flow_style_is_refused_too():
    assert place(refusal("a: {x: 1, y: 2, x: 3}\n")) == (1, 17)


def test_a_tab_in_the_indentation_is_refused_with_what_to_do():
    problem = refusal("about: a\ninputs:\n\tw: {variable: 1}\n")
    assert place(problem) == (3, 1)
    assert "tab" in problem.message
    assert "spaces" in problem.hint


def test_every_line_indented_by_a_tab_is_reported():
    with pytest.raises(CaseErrors) as raised:
        yaml_source.parse("a:\n\tb: 1\n  \tc: 2\n", Path("c.yaml"))
    assert [place(p) for p in raised.value.problems] == [(2, 1), (3, 3)]


def test_a_tab_between_a_dash_and_a_key_is_refused():
    problem = refusal("gradients:\n-\tys: z\n-\t\txs: z\n  a: b\n: c")
    assert problem.position.line >= 2


@pytest.mark.parametrize(
    "tag", ["!!python/object:os.system", "!!python/name:os.system", "!!str", "!mine", "!!float"]
)
def test_an_explicit_tag_is_refused(tag):
    problem = refusal(f"about: a\nsource: {tag} b\n")
    assert place(problem) == (2, 9)
    assert tag in problem.message


def test_a_tag_on_a_list_or_mapping_is_refused():
    text = "about: a\ninputs: !!python/object/apply:os.system ['touch /tmp/hacked']\n"
    assert place(refusal(text)) == (2, 9)


def test_an_alias_bomb_is_refused_at_once():
    text = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
    )
    problem = refusal(text)
    assert "aliases" in problem.message
    assert place(problem)[0] == 6  # 2 · 10^5 values


def test_an_alias_to_itself_is_refused():
    problem = refusal("a: &a [1, *a]\n")
    assert place(problem) == (1, 11)
    assert "contains itself" in problem.message


def test_aliases_within_the_limit_are_plain_data():
    assert data("a: &v [1, 2]\nb: *v\n") == {"a": [1, 2], "b": [1, 2]}


def test_an_alias_without_an_anchor_is_refused():
    assert refusal("a: *b\n").position.line == 1


def test_deep_nesting_is_refused():
    assert "nest deeper" in refusal("a: " + "[" * 5000).message


def test_deep_nesting_through_aliases_is_refused():
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 300))
    assert "nest deeper" in refusal(text).message


def test_a_second_document_is_refused():
    problem = refusal("about: a\n---\nabout: b\n")
    assert place(problem) == (2, 1)


def test_an_empty_file_is_refused():
    assert "empty" in refusal("# nothing\n").message


def test_a_list_as_a_key_is_refused():
    assert place(refusal("a: 1\n? [b, c]\n: 2\n")) == (2, 3)


def test_a_list_that_is_not_closed_is_refused_with_a_hint():
    problem = refusal("about: a\nxs: [a, b\nys: c\n")
    assert "not valid YAML" in problem.message
    assert problem.hint


def test_a_colon_in_plain_text_is_refused_with_a_hint():
    problem = refusal("about: a: b\n")
    assert place(problem) == (1, 9)
    assert "quote" in problem.hint


def test_a_control_character_is_refused_where_it_stands():
    problem = refusal("about: a\nsource: b\x07c\n")
    assert place(problem) == (2, 10)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text("about: " + "a" * 2_000_000)
    with pytest.raises(CaseErrors, match="bytes"):
        yaml_source.read(path)


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"about: \xe9\n")
    with pytest.raises(CaseErrors, match="UTF-8"):
        yaml_source.read(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CaseErrors, match="cannot be read"):
        yaml_source.read(tmp_path / "none.yaml")


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbfabout: a\r\ngraph: |\r\n  z = 1\r\n")
    assert yaml_source.read(path).data == {"about": "a", "graph": "z = 1\n"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("1.", 1.0),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("true", True),
        ("null", None),
        ("~", None),
        ("0x10", 16),
        ("'1'", "1"),
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("1_000", "1_000"),
        ("1+2j", "1+2j"),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    found = data(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_nan_and_negative_zero_are_exact():
    found = data("a: [.nan, -0.0]")["a"]
    assert math.isnan(found[0])
    assert math.copysign(1, found[1]) == -1


def test_a_number_that_no_float_can_hold_is_refused():
    problem = refusal("a: [1, 1e999]\n")
    assert place(problem) == (1, 8)
    assert ".inf" in problem.message


def test_a_number_of_ten_thousand_digits_is_refused():
    assert "too long" in refusal("a: " + "9" * 10_000).message


def locate(text: str, path: tuple, needle: str) -> tuple[int, int]:
    document = yaml_source.parse(text, Path("c.yaml"))
    value = document.data
    for part in path:
        value = value[part]
    return document.places[path].locate(value.index(needle))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("graph: |\n  a = 1\n  bb = cc\n", (3, 8)),
        ("graph: |   # the graph\n\n  a = 1\n  bb = cc\n", (4, 8)),
        ("graph: |2\n    a = 1\n    bb = cc\n", (3, 10)),
        ("graph: |-\n  if a:\n      bb = cc\n", (3, 12)),
        ("graph: bb = cc\n", (1, 13)),
        ("graph: 'bb = cc'\n", (1, 14)),
        ('graph: "bb = cc"\n', (1, 14)),
        ("graph: &g bb = cc\n", (1, 16)),
        ('graph: "b\\tb = cc"\n', (1, 8)),  # the text is not what stands in the file
        ("graph:\n  bb\n  = cc\n", (2, 3)),
        ("graph: >\n  bb\n  = cc\n", (1, 8)),
    ],
)
def test_a_character_of_a_text_is_found_in_the_file(text, place):
    assert locate(text, ("graph",), "cc") == place
