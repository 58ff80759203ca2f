"""The published schema and the reader of ledgers accept and refuse the same files."""

import json
from pathlib import Path

import jsonschema
import pytest

import gradparity
from gradparity import ledger
from gradparity.language import yaml_source
from gradparity.language.problems import CaseErrors

SCHEMA = Path(gradparity.__file__).parent / "schemas" / "ledger.schema.json"
FULL = {
    "checks": "a/*",
    "kind": ["value", "shape"],
    "reason": "because",
    "profiles": ["tf1"],
    "oracles": ["2.21.*"],
    "match": "^gradient",
    "link": "https://example.org/1",
    "expires": "2026-12-31",
}
LEAST = {"checks": "a/*", "kind": "unsupported", "reason": "because"}


def accepted_by_schema(entry):
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    return validator.is_valid({"divergences": [entry]})


def accepted_by_reader(entry):
    text = json.dumps({"divergences": [entry]})
    try:
        ledger.from_document(yaml_source.parse(text, Path("ledger.yaml")))
    except CaseErrors:
        return False
    return True


@pytest.mark.parametrize("entry", [FULL, LEAST])
def test_well_formed_entries_are_accepted_by_both(entry):
    assert accepted_by_schema(entry)
    assert accepted_by_reader(entry)


@pytest.mark.parametrize("key", sorted(LEAST))
def test_an_entry_without_a_required_key_is_refused_by_both(key):
    entry = {name: value for name, value in FULL.items() if name != key}
    assert not accepted_by_schema(entry)
    assert not accepted_by_reader(entry)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("checks", " "),
        ("kind", "values"),
        ("kind", []),
        ("reason", ""),
        ("reason", None),
        ("profiles", "tf2"),
        ("oracles", 2.21),
        ("oracles", []),
        ("link", ""),
        ("expires", "tomorrow"),
        ("expires", 2026),
        ("unknown", "x"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_both(key, value):
    entry = {**FULL, key: value}
    assert not accepted_by_schema(entry)
    assert not accepted_by_reader(entry)


def test_the_keys_of_both_are_the_same():
    schema = json.loads(SCHEMA.read_text())["$defs"]["divergence"]
    assert set(schema["properties"]) == set(ledger.KEYS)
    assert set(schema["required"]) == set(ledger.REQUIRED_KEYS)
    assert set(json.loads(SCHEMA.read_text())["$defs"]["kind"]["enum"]) == set(ledger.KINDS)
