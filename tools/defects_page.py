"""Writes docs/tensorflow-defects.md: where TensorFlow's gradients are not the derivative.

    gradparity run cases/tensorflow_defects --arbiter all --report reports/defects
    python tools/defects_page.py reports/defects/report.json

The sentences and sources come from the case files, the numbers and the arbiter's words from
the run. Each defect comes with a script that needs TensorFlow and NumPy alone; every one is
run while the page is written, by the Python given with --python, and what it printed is shown.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tensorflow-defects.md"
WORD = "TensorFlow departs from the mathematics"
# What a reproduction does not care about: logs, the GPU, and kernels that change bits.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "TF_ENABLE_ONEDNN_OPTS": "0"}

INTRODUCTION = """\
# Where TensorFlow departs from the mathematics

<!-- Written by tools/defects_page.py from a run. Do not edit. -->

An implementation that agrees with TensorFlow {version} agrees in the {count} places below as well,
and so gives a gradient that is not the derivative. That is conformance; naming them is a
service. The cases are in [`cases/tensorflow_defects/`](../cases/tensorflow_defects); each
declares its defect (`truth`), and a run with `--arbiter all` fails when TensorFlow no longer
departs there. How the arbiter decides is told in [arbiter.md](arbiter.md).

Every script below was run when this page was written, in TensorFlow {version}. It prints what
TensorFlow says, and what differencing the forward program says.
"""

BY_DIFFERENCES = """\
    sess.run(tf.global_variables_initializer(), feeds)
    print("TensorFlow: ", [None if g is None else sess.run(g, feeds) for g in gradients])

    held = {{tensor: sess.run(tensor, feeds) for tensor in {stopped}}}
    weights = sess.run({weights}, feeds)

    def value(fed):
        found = sess.run(ys, {{**fed, **held}})
        return sum(np.sum(np.conj(w) * y).real for w, y in zip(weights, found))

    def derivative(f, x, fed, h={step}):
        at = np.array(sess.run(x, feeds) if x not in fed else fed[x])
        result = np.zeros_like(at)
        for i in np.ndindex(at.shape):
            for unit in [1, 1j] if np.iscomplexobj(at) else [1]:
                move = np.zeros_like(at)
                move[i] = h * unit
                difference = f({{**fed, x: at + move}}) - f({{**fed, x: at - move}})
                result[i] += unit * difference / (2 * h)
        return result

    print("numerically:", {asked})
"""

BY_COMPLEX_STEP = """\
    print("TensorFlow: ", [None if g is None else sess.run(g, feeds) for g in gradients])

with tf.Graph().as_default(), tf.Session() as sess:
{build}
    (x,), h = xs, 1e-100
    print("numerically:", [sess.run(ys[0], {{x: sess.run(x) + h * 1j}}).imag / h])
"""


def reproduction(check):
    """A script that prints TensorFlow's gradients of a check, and numerical ones."""
    lines = check["script"].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("with "))
    end = next(i for i, line in enumerate(lines) if line.startswith("    sess.run(tf.global"))
    body = lines[start + 1 : end]
    source = textwrap.dedent("\n".join(body))
    calls = [
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "gradients"
    ]
    head = "\n".join([*lines[:start], *lines[start : start + 1]])
    if "import numpy" not in head:
        head = "import numpy as np\n" + head
    exact = [gradient["exact"] for gradient in check["arbiter"]["gradients"]]
    small = all(
        abs(complex(text)) < 1e-9
        for gradient in check["arbiter"]["gradients"]
        for text in gradient["derivative"]
    )
    if all(exact) and small:  # too small for differences
        first = next(i for i, line in enumerate(body) if line.startswith("    gradients ="))
        build = "\n".join(body[:first]).replace("tf.float64", "tf.complex128")
        return "\n".join([head, *body, BY_COMPLEX_STEP.format(build=build)])
    keywords = {k.arg: ast.get_source_segment(source, k.value) for k in calls[0].keywords}
    weights = keywords.get("grad_ys", "[tf.ones_like(y) for y in ys]")
    order = len(calls) + (calls[0].func.attr == "hessians")
    wide = "float64" in source or "complex128" in source
    tail = BY_DIFFERENCES.format(
        stopped=keywords.get("stop_gradients", "[]"),
        weights=weights,
        step=0.1 if order > 1 else 1e-5 if wide else 1e-2,
        asked=_asked(calls[0].func.attr, len(calls)),
    )
    return "\n".join([head, *body, tail])


def _asked(function, order):
    """The numbers that stand beside TensorFlow's, as an expression of the script."""
    if function == "hessians":
        return (
            "[\n        [derivative(lambda fed, i=i: derivative(value, x, fed)[i], x, feeds)\n"
            "         for i in np.ndindex(*x.shape.as_list())]\n        for x in xs\n    ]"
        )
    function = "value"
    for _ in range(order - 1):
        function = f"lambda fed: sum(derivative({function}, x, fed).sum() for x in xs)"
    return f"[derivative({function}, x, feeds) for x in xs]"


def ran(script, python):
    """What a script printed.

    Raises:
      SystemExit: it failed.
    """
    environment = {**os.environ, **QUIET}
    done = subprocess.run(
        [python, "-W", "ignore", "-c", script], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise SystemExit(f"a reproduction fails:\n{script}\n{done.stderr[-2000:]}")
    return done.stdout.strip()


def defects(report):
    """Case name -> the checks that show it, one for each query: the first of its variants."""
    found = {}
    for check in report["checks"]:
        if (check["truth"] or {}).get("kind") != "defect" or check["arbiter"]["word"] != WORD:
            continue
        queries = found.setdefault(check["case"], {})
        queries.setdefault(check["line"], check)
    return {name: list(queries.values()) for name, queries in found.items()}


def section(case, checks, python):
    """A case's part of the page."""
    title = case["name"].rpartition("/")[2].replace("_", " ")
    link = os.path.relpath(ROOT / case["file"], PAGE.parent)
    lines = [f"## {title[0].upper()}{title[1:]}", "", case["about"], ""]
    source = f"<{case['source']}>" if case["source"].startswith("http") else case["source"]
    lines += [f"Source: {source}. Case: [`{case['name']}`]({link}).", ""]
    lines += ["```python", case["graph"].rstrip(), "```", ""]
    for check in checks:
        script = reproduction(check)
        lines += [
            f"`{', '.join(check['ys'])}` by `{', '.join(check['xs'])}`: {check['truth']['why']}",
            "",
            "```text",
            ran(script, python),
            f"the arbiter: {check['arbiter']['word']}",
            f"  {check['arbiter']['reason']}",
            "```",
            "",
            "<details><summary>A script that reproduces it</summary>",
            "",
            "```python",
            script.rstrip(),
            "```",
            "",
            "</details>",
            "",
        ]
    return "\n".join(lines)


def rendered(report, python):
    """The page's text."""
    version = next(iter(report["oracle"].values()))["version"]
    found = defects(report)
    cases = {case["name"]: case for case in report["cases"]}
    head = INTRODUCTION.format(version=version, count=len(found))
    lines = [head, "| defect | TensorFlow says, and what is true |", "|---|---|"]
    for name, checks in found.items():
        reason = checks[0]["arbiter"]["reason"].replace("|", "\\|")
        lines.append(f"| {cases[name]['about']} | {reason} |")
    sections = [section(cases[name], checks, python) for name, checks in found.items()]
    return "\n".join([*lines, "", *sections])


def main():
    """Reads a report and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path, help="report.json of a run with --arbiter all")
    parser.add_argument("--python", default=sys.executable, help="which has TensorFlow")
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text(encoding="utf-8"))
    PAGE.write_text(rendered(report, arguments.python), encoding="utf-8")


if __name__ == "__main__":
    main()
