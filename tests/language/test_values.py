"""Literals and generators become source code, checked and sized but never computed."""

import time
import tracemalloc

import pytest

CASE = """\
about: A value.
inputs:
  w: VALUE
graph: z = w * 1
gradients:
  - {ys: z, xs: w}
"""


def case(value: str) -> str:
    return CASE.replace("VALUE", value)


@pytest.fixture
def line_of(check_of):
    """The line of source that an input becomes."""
    return lambda value: check_of(case(value)).program.build.splitlines()[0]


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("{variable: [1.0, 2.0]}", "w = tf.Variable([1.0, 2.0], dtype=tf.float32, name='w')"),
        ("{variable: 1}", "w = tf.Variable(1.0, dtype=tf.float32, name='w')"),
        (
            "{variable: 1, trainable: false}",
            "w = tf.Variable(1.0, dtype=tf.float32, name='w', trainable=False)",
        ),
        (
            "{constant: [0.5, -0.0, .inf, -.inf, .nan], dtype: float64}",
            "w = tf.constant([0.5, -0.0, np.inf, -np.inf, np.nan], dtype=tf.float64, name='w')",
        ),
        (
            "{constant: [[1], [2]], dtype: int32}",
            "w = tf.constant([[1], [2]], dtype=tf.int32, name='w')",
        ),
        ("{constant: true}", "w = tf.constant(True, dtype=tf.bool, name='w')"),
        ("{constant: [a, 'b c']}", "w = tf.constant(['a', 'b c'], dtype=tf.string, name='w')"),
        ("{constant: [[], []]}", "w = tf.constant([[], []], dtype=tf.float32, name='w')"),
        (
            '{constant: ["1+2j", "-1e3j", 2], dtype: complex64}',
            "w = tf.constant([complex(1.0, 2.0), complex(0.0, -1000.0), 2.0], "
            "dtype=tf.complex64, name='w')",
        ),
        (
            "{constant: {normal: [3], seed: 1}}",
            "w = tf.constant(np.random.RandomState(1).normal(0.0, 1.0, [3]), "
            "dtype=tf.float32, name='w')",
        ),
        (
            "{constant: {uniform: [2, 3], seed: 7, low: -1, high: 2.5}}",
            "w = tf.constant(np.random.RandomState(7).uniform(-1.0, 2.5, [2, 3]), "
            "dtype=tf.float32, name='w')",
        ),
        (
            "{constant: {integers: [4], seed: 1, low: 0, high: 9}, dtype: int32}",
            "w = tf.constant(np.random.RandomState(1).randint(0, 9, [4], dtype='int64'), "
            "dtype=tf.int32, name='w')",
        ),
        (
            "{constant: {arange: [0, 6, 2]}}",
            "w = tf.constant(np.arange(0, 6, 2), dtype=tf.float32, name='w')",
        ),
        (
            "{constant: {linspace: [-1, 1, 5]}}",
            "w = tf.constant(np.linspace(-1, 1, 5), dtype=tf.float32, name='w')",
        ),
        ("{constant: {zeros: 3}}", "w = tf.constant(np.zeros([3]), dtype=tf.float32, name='w')"),
        (
            "{constant: {ones: [2, 0]}}",
            "w = tf.constant(np.ones([2, 0]), dtype=tf.float32, name='w')",
        ),
        (
            "{constant: {full: [2], value: -0.0}, dtype: float16}",
            "w = tf.constant(np.full([2], -0.0), dtype=tf.float16, name='w')",
        ),
        (
            "{placeholder: [null, 3], feed: [[1, 2, 3]]}",
            "w = tf.placeholder(tf.float32, [None, 3], name='w')",
        ),
        ("{placeholder: [], feed: 1, dtype: int64}", "w = tf.placeholder(tf.int64, [], name='w')"),
        ("{placeholder: unknown, feed: [true]}", "w = tf.placeholder(tf.bool, name='w')"),
        ("{placeholder: [2], feed: null}", "w = tf.placeholder(tf.float32, [2], name='w')"),
    ],
)
def test_an_input_becomes_a_line_of_tensorflow(line_of, value, source):
    assert line_of(value) == source


@pytest.mark.parametrize(
    ("value", "feeds"),
    [
        ("{placeholder: [null], feed: [1, 2, 3]}", "feeds = {w: [1.0, 2.0, 3.0]}"),
        ("{placeholder: [2], feed: [1, 2], dtype: int32}", "feeds = {w: [1, 2]}"),
        ("{placeholder: [null], feed: {ones: [4]}}", "feeds = {w: np.ones([4])}"),
        ("{placeholder: [2], feed: null}", "feeds = {}"),
    ],
)
def test_a_placeholder_is_fed(check_of, value, feeds):
    assert check_of(case(value)).program.build.splitlines()[-1] == feeds


@pytest.mark.parametrize(
    ("value", "message"),  # § stands before the place that is named
    [
        ("{constant: [[1, 2], §[3]]}", "ragged list: this entry has shape [1], the first [2]"),
        ("{constant: [1, §[2]]}", "ragged list"),
        ("{constant: [1, §true]}", "booleans and numbers in one value"),
        ("{constant: [1, §a]}", "numbers and texts in one value"),
        ("{constant: [1, §null]}", "null is not a value"),
        ("{constant: [1, §2.5], dtype: int32}", "the real number 2.5 in a value of dtype int32"),
        ("{constant: [1, §300], dtype: int8}", "300 does not fit in int8"),
        ("{constant: [§-1], dtype: uint8}", "-1 does not fit in uint8"),
        ("{constant: §1.0e+39}", "1e+39 is larger than any float32"),
        ("{constant: §70000, dtype: float16}", "70000 is larger than any float16"),
        ("{constant: §9007199254740993, dtype: float64}", "is not exactly a float64"),
        ("{constant: §a, dtype: float32}", "the text 'a' in a value of dtype float32"),
        ("{constant: §1, dtype: bool}", "the number 1 in a value of dtype bool"),
        ("{constant: §1, dtype: string}", "the number 1 in a value of dtype string"),
        ("{constant: [1, §'1+'], dtype: complex64}", "'1+' is not a complex number"),
        ("{constant: 1, dtype: §flaot32}", "'flaot32' is not a dtype"),
        ("{constant: {norml: §[3], seed: 1}}", "a mapping that names no generator"),
        ("{constant: §{normal: [3]}}", "missing 'seed'"),
        ("{constant: {normal: [3], seed: §-1}}", "'seed' must be a whole number"),
        ("{constant: {normal: [3], seed: 1, mena: §2}}", "'normal' takes no 'mena'"),
        ("{constant: {normal: [§-3], seed: 1}}", "-3 is not a size"),
        ("{constant: {normal: [3], seed: 1, stddev: §-1}}", "must not be negative"),
        ("{constant: §{zeros: [3], ones: [3]}}", "two generators"),
        ("{constant: §{full: [3]}}", "missing 'value'"),
        (
            "{constant: {integers: [3], seed: 1, low: 3, high: §3}}",
            "'high' must be larger than 'low'",
        ),
        ("{constant: {arange: [0, 1, §0]}}", "the step must not be zero"),
        ("{constant: {linspace: [0, 1, §2.5]}}", "the number of values"),
        ("{constant: §{normal: [3], seed: 1}, dtype: int32}", "makes float values, not int32"),
        ("{constant: §{arange: [0, 1, 0.5]}, dtype: int32}", "makes float values, not int32"),
        ("{constant: §{zeros: [3]}, dtype: string}", "makes int values, not string"),
        ("{placeholder: [3], feed: §[1, 2]}", "a value of shape [2] does not fit"),
        ("{placeholder: [], feed: §[1]}", "does not fit the placeholder's shape []"),
        ("{placeholder: [null, 2], feed: §{ones: [2, 3]}}", "does not fit"),
    ],
)
def test_a_value_that_is_wrong_is_refused_where_it_is_wrong(problem_of, value, message):
    problem = problem_of(case(value.replace("§", "")))
    assert message in problem.message
    assert (problem.line, problem.column) == (3, 6 + value.index("§"))


@pytest.mark.parametrize(
    "generator",
    [
        "{normal: [1000000000], seed: 1}",
        "{uniform: [100000, 100000], seed: 1}",
        "{integers: [1000000000], seed: 1, low: 0, high: 2}",
        "{zeros: 1000000000}",
        "{ones: [1000, 1000, 1000]}",
        "{full: [1000000000], value: 1}",
        "{arange: [0, 1000000000, 1]}",
        "{arange: [0, 1, 1.0e-9]}",
        "{linspace: [0, 1, 1000000000]}",
    ],
)
@pytest.mark.parametrize("key", ["variable", "constant", "feed"])
def test_a_generator_of_a_thousand_million_elements_is_refused_at_once(problem_of, key, generator):
    value = (
        f"{{{key}: {generator}}}"
        if key != "feed"
        else f"{{placeholder: [null], feed: {generator}}}"
    )
    tracemalloc.start()
    started = time.perf_counter()
    problem = problem_of(case(value))
    assert time.perf_counter() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert problem.line == 3
    assert problem.column == 6 + value.index(generator)
    assert "1,000,000,000 elements" in problem.message or "10,000,000,000" in problem.message


def test_many_generators_together_are_refused_too(problem_of):
    problem = problem_of(
        """\
        about: Large together.
        inputs:
          a: {variable: {zeros: [6000000]}}
          b: {variable: {zeros: [6000000]}}
        gradients:
          - {ys: a, xs: a}
        """
    )
    assert (problem.line, problem.column) == (2, 1)
    assert "12,000,000 elements" in problem.message


def test_a_weight_is_sized_too(problem_of):
    text = case("{variable: 1}").replace("xs: w", "xs: w, grad_ys: [{ones: [1000000000]}]")
    problem = problem_of(text)
    assert (problem.line, problem.column) == (6, 30)
