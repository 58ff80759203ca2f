"""`gradparity run` holds to the ledger, and `gradparity accept` writes it."""

import json

import pytest
from click.testing import CliRunner

from gradparity import ledger
from gradparity.cli import main

FIRST, SECOND = "triple::first", "triple::second"


def call(*arguments):
    return CliRunner().invoke(main, list(arguments))


def run(*arguments, impl="wrong_tf"):
    return call("run", "--impl", impl, "--ledger", "ledger.yaml", *arguments)


def verdicts(folder="reports/latest"):
    with open(f"{folder}/report.json") as file:
        return {check["id"]: check["verdict"] for check in json.load(file)["checks"]}


def write(*entries):
    with open("ledger.yaml", "w") as file:
        file.write(json.dumps({"divergences": entries}))


def known(checks, kind="value", **more):
    return {"checks": checks, "kind": kind, "reason": "it is so", **more}


def test_known_divergences_pass_and_others_do_not(corpus):
    write(known(FIRST))
    assert run().exit_code == 1
    assert verdicts() == {FIRST: "known", SECOND: "differ"}
    write(known("triple::*"))
    result = run()
    assert result.exit_code == 0, result.output
    assert "2 known" in result.output


def test_a_healed_divergence_fails_the_run(corpus):
    write(known("triple::*"))
    assert run(impl="tame_tf").exit_code == 1
    assert verdicts() == {FIRST: "healed", SECOND: "healed"}


def test_a_difference_of_another_kind_and_an_expired_entry_fail_the_run(corpus):
    write(known(FIRST, kind="dtype"), known(SECOND, expires="2020-01-01"))
    result = run()
    assert result.exit_code == 1
    assert verdicts() == {FIRST: "differ", SECOND: "differ"}
    assert "it says dtype, found is value" in result.output
    assert "the entry has expired on 2020-01-01" in result.output


def test_an_entry_that_matches_no_check_fails_a_run_of_the_whole_corpus_only(corpus):
    write(known("triple::*"), known("tripel::*"))
    result = run()
    assert result.exit_code == 1
    assert "1 problem in the ledger fails the run" in result.output
    assert "ledger.yaml:1: no check of the corpus matches 'tripel::*'" in result.output
    with open("reports/latest/report.json") as file:
        report = json.load(file)
    assert not report["passes"]
    assert len(report["ledger_problems"]) == 1
    with open("reports/latest/report.md") as file:
        assert "no check of the corpus matches" in file.read()
    with open("reports/latest/report.html") as file:
        assert "no check of the corpus matches" in file.read()
    assert run("-k", "triple").exit_code == 0
    assert run("cases/triple.yaml").exit_code == 0


def test_the_ledger_beside_the_implementation_is_found(corpus, tmp_path):
    (tmp_path / "own_tf.py").write_text("from wrong_tf import *\n")
    path = tmp_path / "own_tf.known_divergences.yaml"
    path.write_text(json.dumps({"divergences": [known("triple::*")]}))
    assert call("run", "--impl", "own_tf").exit_code == 0
    assert set(verdicts().values()) == {"known"}


def test_a_malformed_ledger_stops_the_run_before_it_begins(corpus):
    write({"checks": FIRST, "kind": "value", "reason": " "})
    result = run()
    assert result.exit_code == 2
    assert "ledger.yaml:1:" in result.output
    assert "`reason` must be text that is not empty" in result.output


def test_what_accept_writes_makes_the_same_run_pass(corpus):
    assert call("run", "--impl", "wrong_tf").exit_code == 1
    result = call("accept", "triple::*", "--reason", "it is: so", "--ledger", "ledger.yaml")
    assert result.exit_code == 0, result.output
    [entry] = ledger.load(ledger.Path("ledger.yaml")).entries
    assert (entry.checks, entry.kinds, entry.reason) == ("triple::*", {"value"}, "it is: so")
    assert run().exit_code == 0


def test_accept_writes_beside_the_implementation_and_keeps_what_is_there(corpus, tmp_path):
    (tmp_path / "own_tf.py").write_text("from wrong_tf import *\n")
    path = tmp_path / "own_tf.known_divergences.yaml"
    assert call("run", "--impl", "own_tf").exit_code == 1
    details = ("--link", "https://example.org/1", "--expires", "2100-01-01", "--oracles", "0.*")
    assert call("accept", FIRST, "--reason", "one", *details).exit_code == 0
    path.write_text(path.read_text() + "  # a remark that stays\n")
    assert call("accept", SECOND, "--reason", "two").exit_code == 0
    text = path.read_text()
    assert text.index("# a remark that stays") < text.index(f'checks: "{SECOND}"')
    first, second = ledger.load(path).entries
    assert (first.link, str(first.expires)) == ("https://example.org/1", "2100-01-01")
    assert (first.oracles, second.oracles) == (("0.*",), ())
    assert call("run", "--impl", "own_tf").exit_code == 0


def test_accept_names_single_checks_when_others_of_the_pattern_agree():
    checks = [
        {"id": "a::1", "verdict": "differ", "differences": [{"kind": "value"}, {"kind": "shape"}]},
        {"id": "a::2", "verdict": "agree", "differences": []},
        {"id": "a::3", "verdict": "unsupported", "differences": []},
        {"id": "b::1", "verdict": "differ", "differences": [{"kind": "none"}]},
    ]
    entries = list(ledger.entries_for("a::*", checks, {"reason": "r", "link": ""}))
    assert entries == [
        {"checks": "a::1", "kind": ["shape", "value"], "reason": "r"},
        {"checks": "a::3", "kind": "unsupported", "reason": "r"},
    ]
    [entry] = ledger.entries_for("b*", checks, {"reason": "r"})
    assert entry["checks"] == "b*"


@pytest.mark.parametrize("reason", ["", "   "])
def test_accept_refuses_an_empty_reason_and_writes_nothing(corpus, tmp_path, reason):
    call("run", "--impl", "wrong_tf")
    result = call("accept", FIRST, "--reason", reason, "--ledger", "ledger.yaml")
    assert result.exit_code == 2
    assert "say why the difference is borne" in result.output
    assert not (tmp_path / "ledger.yaml").exists()


def test_accept_says_what_it_cannot_accept(corpus):
    arguments = ("--reason", "r", "--ledger", "ledger.yaml")
    result = call("accept", FIRST, *arguments)
    assert result.exit_code == 2
    assert "`gradparity run` writes one" in result.output
    call("run", "--impl", "tame_tf")
    result = call("accept", FIRST, *arguments)
    assert result.exit_code == 2
    assert "they are agree" in result.output
    assert "matches no check" in call("accept", "no::such", *arguments).output


def test_accept_refuses_a_second_entry_for_the_same_check(corpus):
    write(known(FIRST, kind="dtype"))
    run()
    result = call("accept", "triple::*", "--reason", "r", "--ledger", "ledger.yaml")
    assert result.exit_code == 2
    assert f"ledger.yaml:1 speaks of {FIRST} already" in result.output


def test_a_ledger_in_flow_style_is_not_written_to(corpus):
    write(known("triple::first"))
    run()
    result = call("accept", SECOND, "--reason", "r", "--ledger", "ledger.yaml")
    assert result.exit_code == 2
    assert "cannot be added to" in result.output
