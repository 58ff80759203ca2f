"""Coverage counts what TensorFlow really called, and only where the judge says "agree"."""

import json

import pytest
from click.testing import CliRunner

from gradparity.cli import main
from gradparity.coverage import Group, Status, measure, to_json
from gradparity.reports.coverage import MARKS, tiles

REGISTRY = {
    "format": "gradparity-registry",
    "version": 1,
    "tensorflow": "2.21.0",
    "gradient functions": {
        "CudnnRNN": "GPU",
        "Mul": "CPU GPU",
        "Sin": "CPU",
        "TopK": "CPU",
        "NextIteration": "DEFAULT GPU",
        "Cross": "CPU",
    },
    "not differentiable": {"Sign": "CPU", "Queue": None},
    "unregistered": {"TileGrad": "CPU", "Mod": "CPU"},
    "removed": {"TopK": "Use TopKV2 instead"},
}


def check(id, verdict="agree", error=None, calls=None, op_types=()):
    oracle = {"error": error, "gradient_calls": calls or {}, "op_types": list(op_types)}
    return {"id": id, "verdict": verdict, "oracle": oracle}


def row(coverage, op):
    return next(row for row in coverage.rows if row.op == op)


def test_a_function_is_covered_by_a_check_that_agrees_on_gradients():
    coverage = measure(REGISTRY, [check("a", calls={"1 float32": "Mul", "2 float64": "Mul Sin"})])
    assert row(coverage, "Mul").status is Status.COVERED
    assert row(coverage, "Mul").covered() == {(1, "float32"), (2, "float64")}
    assert coverage.totals()["covered by order"] == {"1": 1, "2": 2}
    assert coverage.totals()["covered by dtype"] == {"float32": 1, "float64": 2}


@pytest.mark.parametrize("verdict", ["differ", "known", "vacuous", "oracle-changed", "unsupported"])
def test_no_other_verdict_covers(verdict):
    coverage = measure(REGISTRY, [check("a", verdict, calls={"1 float32": "Mul"})])
    assert row(coverage, "Mul").status is Status.FAILING
    assert row(coverage, "Mul").verdicts() == {verdict: 1}


def test_agreement_on_an_error_covers_nothing():
    failed = {"stage": "run", "type": "InvalidArgumentError", "message": "", "line": None}
    coverage = measure(REGISTRY, [check("a", error=failed, calls={"1 float32": "Mul"})])
    assert row(coverage, "Mul").status is Status.RAISES


def test_a_check_that_calls_at_two_orders_counts_once():
    coverage = measure(REGISTRY, [check("a", calls={"1 float32": "Mul", "2 float32": "Mul"})])
    assert row(coverage, "Mul").verdicts() == {"agree": 1}


def test_what_cannot_be_invoked_is_listed_with_the_reason():
    coverage = measure(REGISTRY, [])
    assert row(coverage, "CudnnRNN").reason == "no CPU kernel, only for GPU"
    assert row(coverage, "TopK").reason == "TensorFlow refuses to make it: Use TopKV2 instead"
    assert row(coverage, "Queue").reason == "a name in the registry that is no op"
    assert row(coverage, "NextIteration").status is Status.NOT_INVOKED  # runs on any device
    assert row(coverage, "Cross").status is Status.NOT_INVOKED


def test_what_is_invoked_all_the_same_is_not_out_of_scope():
    coverage = measure(REGISTRY, [check("a", calls={"1 float32": "CudnnRNN"})])
    assert (row(coverage, "CudnnRNN").status, row(coverage, "CudnnRNN").reason) == (
        Status.COVERED,
        "",
    )


def test_ops_without_a_function_are_counted_by_the_graphs_that_have_them():
    raised = {"stage": "gradients", "type": "LookupError", "message": "", "line": 1}
    checks = [check("a", op_types=["Sign", "Mul"]), check("b", error=raised, op_types=["Mod"])]
    coverage = measure(REGISTRY, checks)
    assert row(coverage, "Sign").status is Status.MET
    assert row(coverage, "Mod").status is Status.MET
    assert row(coverage, "Mod").met == {"raises": [1]}
    assert row(coverage, "TileGrad").status is Status.NOT_MET
    assert row(coverage, "Mul").status is Status.NOT_INVOKED  # in a graph, and not differentiated


def test_an_oracle_that_gave_no_answer_is_passed_over():
    assert (
        measure(REGISTRY, [{"id": "a", "verdict": "crashed", "oracle": None}]).of(
            Group.FUNCTION, Status.COVERED
        )
        == []
    )


def test_the_json_names_each_check_once():
    data = to_json(measure(REGISTRY, [check("a", calls={"1 float32": "Mul"})]))
    assert data["checks"] == ["a"]
    mul = next(op for op in data["ops"] if op["op"] == "Mul")
    assert mul["calls"] == [{"order": 1, "dtype": "float32", "checks": {"agree": [0]}}]


@pytest.fixture
def report(tmp_path):
    checks = [
        {
            **check("demo::z~x", calls={"1 float32": "Mul"}),
            "file": "cases/demo.yaml",
            "case": "demo",
            "line": 1,
            "profile": "tf1",
            "xs": ["x"],
            "ys": ["z"],
            "implementation": None,
        }
    ]
    document = {
        "format": "gradparity-report",
        "version": 1,
        "gradparity": "0",
        "started_at": "",
        "oracle": {"tf1": {"namespace": "tensorflow.compat.v1", "version": "2.21.0"}},
        "implementation": {"tf1": {"namespace": "numpy_tf", "version": "0"}},
        "cases": [{"name": "demo", "file": "cases/demo.yaml"}],
        "checks": checks,
    }
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document))
    registry = tmp_path / "recordings" / "2.21.0" / "registry.json"
    registry.parent.mkdir(parents=True)
    registry.write_text(json.dumps(REGISTRY))
    return path


def cover(report, *more):
    folder = str(report.parent / "recordings")
    return CliRunner().invoke(main, ["coverage", str(report), "--recordings", folder, *more])


def test_the_command_prints_totals_and_writes_a_page_beside_the_report(report):
    result = cover(report)
    assert result.exit_code == 0, result.output
    assert result.output.startswith(
        "TensorFlow 2.21.0: 1 of 4 gradient functions in scope are covered, by 1 check\n"
    )
    page = (report.parent / "coverage.html").read_text()
    assert '<a href="cases/demo.html#z~x">demo::z~x</a>' in page
    assert (report.parent / "assets" / "report.css").is_file()


def test_a_folder_stands_for_the_report_in_it(report):
    folder = str(report.parent / "recordings")
    said = CliRunner().invoke(main, ["coverage", str(report.parent), "--recordings", folder])
    assert said.exit_code == 0, said.output
    assert said.output == cover(report).output
    assert (report.parent / "coverage.html").is_file()


def test_a_report_that_is_not_there_is_told_with_how_to_make_one(tmp_path):
    said = CliRunner().invoke(main, ["coverage", str(tmp_path / "none.json")])
    assert said.exit_code == 2
    assert "There is no report" in said.output
    assert "gradparity run --report" in said.output


def test_the_command_tells_all_about_one_op(report):
    assert "order 1, float32: 1 check agree\n    demo::z~x\n" in cover(report, "--op", "Mul").output
    assert cover(report, "--op", "Mull").exit_code == 2


def test_a_registry_that_was_never_written_down_is_asked_for(report):
    (report.parent / "recordings" / "2.21.0" / "registry.json").unlink()
    result = cover(report)
    assert result.exit_code == 2
    assert "gradparity record --registry" in result.output


def test_what_is_no_report_is_refused(report):
    report.write_text("{}")
    assert cover(report).exit_code == 2
    report.unlink()
    assert "make one with: gradparity run" in cover(report).output


def test_functions_are_in_the_family_of_the_module_that_registers_them():
    families = {
        "math_ops": "Mul",
        "math": "Sin",
        "sparse_csr_matrix": "Cross",
        "of_another": "TopK",
    }
    coverage = measure({**REGISTRY, "families": families}, [])
    assert [row(coverage, op).family for op in ("Mul", "Sin", "Cross", "TopK", "CudnnRNN")] == [
        "math", "math", "sparse", "of_another", "",
    ]  # fmt: skip


def test_the_map_shows_each_status_by_a_symbol_and_a_colour_of_its_own():
    checks = [
        check("a", calls={"1 float32": "Mul", "2 float64": "Mul"}, op_types=["Sign"]),
        check("b", "differ", calls={"1 float32": "Sin"}),
    ]
    found = {tile.op: tile for row in tiles(measure(REGISTRY, checks)).values() for tile in row}
    assert found["Mul"].symbol == "2"
    assert found["Mul"].orders == "1 float32, 2 float64"
    assert found["Sin"].text == "Sin: failing; 1 differ"
    assert found["TopK"].text.startswith("TopK: out of scope; TensorFlow refuses to make it")
    shown = {op: (tile.symbol, tile.mark.classes) for op, tile in found.items()}
    of_one_each = ["Mul", "Sin", "Cross", "TopK", "Sign", "TileGrad"]
    assert len({shown[op] for op in of_one_each}) == len(of_one_each)
    assert len({shown[op][0] for op in of_one_each}) == len(of_one_each)


def test_every_status_that_occurs_can_be_shown():
    assert {status for _, status in MARKS} == set(Status)
