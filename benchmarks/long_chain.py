"""Time for each node of a chain of ops in numpy_tf: build, gradients, compile, run.

Prints microseconds a node for chains of 10,000 and 100,000 ops, so that a cost that is not
linear in the length shows as a ratio, next to NumPy's own sine of a scalar in this run.

    python benchmarks/long_chain.py
"""

import gc
import timeit
from itertools import pairwise
from time import perf_counter

import numpy as np

import numpy_tf as tf

LENGTHS = (10_000, 100_000)
CHAINS = {
    "tf.sin(x)": tf.sin,
    "tf.tanh(x)": tf.tanh,
    "x * 0.999": lambda x: x * 0.999,
    "x + x": lambda x: x + x,
}


def microseconds_a_node(op, length):
    """Build, gradients, first run (compiles the plan) and second run of one chain."""
    gc.collect()  # of the chain before
    with tf.Graph().as_default(), tf.Session() as session:
        x = y = tf.placeholder(tf.float32, [])
        marks = [perf_counter()]
        for _ in range(length):
            y = op(y)
        marks.append(perf_counter())
        (gradient,) = tf.gradients(y, [x])
        marks.append(perf_counter())
        for _ in range(2):
            session.run([y, gradient], {x: 0.5})
            marks.append(perf_counter())
    return [1e6 * (after - before) / length for before, after in pairwise(marks)]


def main():
    """Prints the table."""
    scalar = np.array(0.3, np.float32)
    sine = min(timeit.repeat(lambda: np.sin(scalar), number=100_000, repeat=5)) * 10
    print(f"np.sin of a scalar: {sine:.2f} µs")
    columns = ("build", "gradients", "compile and run", "run")
    print(f"{'chain':12}{'ops':>9}" + "".join(f"{c:>17}" for c in columns) + "   (µs a node)")
    for name, op in CHAINS.items():
        for length in LENGTHS:
            row = microseconds_a_node(op, length)
            print(f"{name:12}{length:9,}" + "".join(f"{value:17.2f}" for value in row))


if __name__ == "__main__":
    main()
