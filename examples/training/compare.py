"""Trains `digits.py` in two modules and prints both loss curves and how far they are apart.

python compare.py
python compare.py --modules numpy_tf tensorflow.compat.v1 --rtol 1e-4
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).with_name("digits.py")


def losses_of(module):
    """The losses of all steps, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "losses.json"
        subprocess.run(
            [sys.executable, str(SCRIPT), "--module", module, "--losses", str(file)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"},
        )
        return json.loads(file.read_text(encoding="utf-8"))["losses"]


def main():
    """Prints the curves; exits with 1 when they are further apart than `--rtol`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", nargs=2, default=["numpy_tf", "tensorflow.compat.v1"])
    parser.add_argument("--rtol", type=float, default=1e-4, help="largest relative difference")
    arguments = parser.parse_args()
    first, second = (losses_of(module) for module in arguments.modules)
    apart = [abs(a - b) / abs(b) for a, b in zip(first, second, strict=True)]
    print("step  {:>22}  {:>22}  relative difference".format(*arguments.modules))
    for step in [0, *range(9, len(first), 10)]:
        print(f"{step + 1:4}  {first[step]:22.8f}  {second[step]:22.8f}  {apart[step]:.1e}")
    worst = max(range(len(apart)), key=apart.__getitem__)
    print(f"largest relative difference of {len(apart)} steps: {apart[worst]:.1e} at {worst + 1}")
    return int(apart[worst] > arguments.rtol)


if __name__ == "__main__":
    sys.exit(main())
