"""numpy_tf's speed beside TensorFlow, hand-written NumPy, HIPS autograd and PyTorch.

Every row is one computation with its gradients, on one thread. All contestants that are
installed do it in turn, round after round, in this one process; their gradients are compared
first. The table gives the least time of each as a multiple of TensorFlow's (of hand-written
NumPy's where TensorFlow is not installed): ratios of one run, because machines differ, and the
least of many rounds, because what else a machine does can only add to a time.

    pip install autograd torch      # each is left out when it is not there
    python benchmarks/rivals.py [ROW ...]
"""

import argparse
import importlib
import os
import sys
from time import perf_counter, process_time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # read when a library is loaded
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="-1")

import arrays  # noqa: E402
import images  # noqa: E402
import numpy as np  # noqa: E402
import workloads  # noqa: E402

ROUNDS = 15
SECONDS_A_ROUND = 0.15  # a contestant repeats its call for about so long in each round


def contestants(row):
    """Name -> a call that does the row's work and returns its gradients, as arrays."""
    found = {}
    for name, (module, make) in workloads.CONTESTANTS.items():
        maker = getattr(row, make, None)
        if maker is None:
            continue
        try:
            library = importlib.import_module(module)
        except ImportError:
            continue
        found[name] = maker(workloads.prepared(library))
    return found


def check_equal(row, calls):
    """AssertionError unless all contestants compute the same gradients."""
    expected = [_widest(g) for g in next(iter(calls.values()))()]
    for name, call in calls.items():
        for got, want in zip(call(), expected, strict=True):
            scale = np.abs(want).max() or 1.0
            np.testing.assert_allclose(
                _widest(got) / scale,
                want / scale,
                atol=row.tolerance,
                err_msg=f"{row.name}: {name}",
            )


def _widest(gradient):
    """In double precision, real or complex."""
    array = np.asarray(gradient)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def least_times(calls, clock):
    """Name -> the least seconds of one call in any round, the contestants taking turns."""
    repeats = {}
    for name, call in calls.items():
        started = clock()
        call()
        repeats[name] = max(1, int(SECONDS_A_ROUND / len(calls) / (clock() - started)))
    times = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = clock()
            for _ in range(repeats[name]):
                call()
            times[name].append((clock() - started) / repeats[name])
    return {name: min(values) for name, values in times.items()}


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", help="words that the names of wanted rows contain")
    parser.add_argument(
        "--processor", action="store_true", help="processor time, for a machine that is busy"
    )
    arguments = parser.parse_args()
    wanted = arguments.rows
    clock = process_time if arguments.processor else perf_counter
    names = list(workloads.CONTESTANTS)
    print(f"{'':44}" + "".join(f"{name:>12}" for name in names))
    for row in (*workloads.ROWS, *images.ROWS, *arrays.ROWS):
        if wanted and not any(word in row.name for word in wanted):
            continue
        calls = contestants(row)
        check_equal(row, calls)
        times = least_times(calls, clock)
        base = "tensorflow" if "tensorflow" in times else "numpy"
        cells = [f"{times[n] / times[base]:12.2f}" if n in times else f"{'-':>12}" for n in names]
        print(f"{row.name:44}" + "".join(cells) + f"   (1 = {1e3 * times[base]:.3g} ms)")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
