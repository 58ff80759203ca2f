"""A graph that never ends, or grows without bound, is refused before anything runs."""

import time

import pytest

CASE = """\
about: A graph that does not end.
inputs:
  w: {variable: [1.0, 2.0]}
graph: |
  CODE
gradients:
  - {ys: w, xs: w}
"""


def case(code: str) -> str:
    return CASE.replace("CODE", code.replace("\n", "\n  "))


DOUBLING = "f0 = lambda v: v + 1\n" + "".join(
    f"f{i + 1} = lambda v: f{i}(f{i}(v))\n" for i in range(40)
)

ENDLESS = [
    ("while True: pass", (5, 3), "`while` loops are not allowed"),
    ("for i in range(10**9): w = w + 1", (5, 12), "1,000,000,000 repetitions are too many"),
    ("for i in range(1000):\n  for j in range(1000):\n    w = w + i", (5, 3), "100,000 steps"),
    ("n = 1000\na = [i for i in range(n) for j in range(n)]", (6, 7), "100,000 steps"),
    ("for i in w: a = i", (5, 12), "how often this repeats cannot be known"),
    ("for i in range(w[0]): a = i", (5, 12), "how often this repeats cannot be known"),
    ("for a in tf.unstack(w): b = a", (5, 12), "how often this repeats cannot be known"),
    ("def f(v): return f(v)\na = f(w)", (5, 20), "'f' is used before it is bound"),
    ("f = lambda v: v\nf = lambda v: f(v)\na = f(w)", (7, 7), "does a function call itself?"),
    (
        "def f(v): return v\ndef g(v): return f(v)\ndef f(v): return g(v)\na = f(w)",
        (8, 7),
        "does a function call itself?",
    ),
    ("(lambda f: f(f))(lambda f: f(f))", (5, 3), "does a function call itself?"),
    ("u = lambda f: f(f)\nu(u)", (6, 3), "does a function call itself?"),
    ("def u(f): return [f][0](f)\nu(u)", (6, 3), "does a function call itself?"),
    ("tf.function(lambda f: f(f))(lambda f: f(f))", (5, 3), "does a function call itself?"),
    ("u = lambda f: tf.function(f)(f)\nu(u)", (6, 3), "does a function call itself?"),
    (DOUBLING + "a = f40(w)", (46, 7), "does a function call itself?"),
    (DOUBLING + "a = f20(w)", (46, 7), "100,000 steps"),
    ("a = 10**10**10", (5, 7), "more than 4,096 bits"),
    ("a = 'a' * 10**10", (5, 7), "10,000,000,000 items are too many"),
    ("a = [0] * 10**9", (5, 7), "1,000,000,000 items are too many"),
    ("a = 1 << 10**9", (5, 7), "more than 4,096 bits"),
    ("n = 10**9\na = [0] * n", (6, 7), "1,000,000,000 items are too many"),
    ("a = list(range(10**9))", (5, 12), "1,000,000,000 repetitions are too many"),
    ("a = 10\nfor i in range(50): a = a * a", (6, 27), "more than 4,096 bits"),
    ("def sq(v): return v * v\na = 10\nfor i in range(50): a = sq(a)", (5, 21), "4,096 bits"),
    ("a = w.shape.ndims\nfor i in range(50): a = a * a", (6, 27), "more than 4,096 bits"),
    ("a = 10 ** w.shape.ndims", (5, 7), "cannot be known before it runs"),
    ("a = 'ab'\nfor i in range(60): a = a + a", (6, 27), "items are too many"),
    ("a = 'ab'\nfor i in range(60): a += a", (6, 23), "items are too many"),
    ("a = [w]\nfor i in range(60): a = a + a", (6, 27), "items are too many"),
    ("a = w\nfor i in range(60): a = (a, a)", (6, 27), "items are too many"),
    ("a = '%999999999d' % 3", (5, 7), "only %d, %s"),
    ("a = tf.AggregationMethod.EXPERIMENTAL_ACCUMULATE_N ** 2", (5, 7), "not computed with"),
    ("a = np.zeros(10**9)", (5, 7), "an array of more than 10,000 elements"),
    ("a = np.ones([1000, 1000])", (5, 7), "an array of more than 10,000 elements"),
    ("a = np.array([10**30])", (5, 7), "does not fit in 64 bits"),
    ("a = np.array([2], dtype='O')", (5, 27), "write the dtype as np.float32"),
    ("a = tf.while_loop(lambda i: True, lambda i: i + 1, [0])", (5, 7), "never ends"),
    ("a = tf.while_loop(lambda i: i < 9, lambda i: i, [0])", (5, 7), "never ends"),
    (
        "a = tf.while_loop(lambda i, v: i < 9, lambda i, v: (i, v * 2), [0, w])",
        (5, 7),
        "its condition reads no value that its body changes",
    ),
    (
        "@tf.custom_gradient\ndef f(v):\n  def grad(dy):\n    for i in range(10**6): dy = dy + 1\n"
        "    return dy\n  return v, grad\na = f(w)",
        (8, 16),
        "1,000,000 repetitions are too many",
    ),
    (
        "n = 2\n@tf.custom_gradient\ndef f(v):\n  def grad(dy): return dy * 10 ** n\n"
        "  return v, grad\na = f(w)\nn = 10**9",
        (8, 31),
        "more than 4,096 bits",
    ),
    (
        "@tf.RegisterGradient('G')\ndef f(op, grad):\n  for i in range(10**6): grad = grad + 1\n"
        "  return grad",
        (7, 14),
        "1,000,000 repetitions are too many",
    ),
    ("tf.add_to_collection('c', lambda: w)", (5, 3), "takes no function of a case"),
    ("a = {'f': lambda: w}", (5, 13), "a function may be called, named, passed to tf"),
    (
        "f = lambda v: v\ng = lambda v: -v\nh = f if w.shape.ndims > 1 else g",
        (7, 7),
        "which function this is depends on a condition",
    ),
    ("a = " + "-" * 200 + "1", (5, 155), "nests too deeply"),
]


@pytest.mark.parametrize(
    ("code", "place", "message"), ENDLESS, ids=[code.split("\n")[-1][:40] for code, _, _ in ENDLESS]
)
def test_a_graph_that_never_ends_is_refused(problems_of, code, place, message):
    started = time.perf_counter()
    problem = problems_of(case(code))[0]
    assert time.perf_counter() - started < 2
    assert message in problem.message
    assert (problem.line, problem.column) == place


def test_an_expression_of_a_query_is_bounded_too(problem_of):
    problem = problem_of(case("a = w").replace("ys: w", "ys: w * 10**10**10"))
    assert (problem.line, problem.column) == (7, 14)
    assert "4,096 bits" in problem.message


@pytest.mark.parametrize(
    "code",
    [
        "for i in range(5000): w = w + i",
        "for i in range(100):\n  for j in range(100): w = w + 1",
        "a = 2 ** 100 * 3.0 ** 5",
        "a = w\nfor i in range(9): a = a * a",
        "a = [w] * 3 + [w]\nfor b in a[1:]: c = b",
        "a = 'x%d' % 3 + '_'\nb = tf.identity(w, name=a)",
        "n = w.get_shape().as_list()[0]\na = w * n * n",
        "a = tf.while_loop(lambda i: True, lambda i: i + 1, [0], maximum_iterations=3)",
        "f = lambda v, n=2: v * n\ng = lambda v: f(f(v), 3)\na = g(g(w))",
        "apply = lambda f, v: f(v)\na = apply(lambda v: v * 2, w) + apply(tf.exp, w)",
        "for f in [tf.exp, tf.sin, lambda v: v]: a = f(w)",
        "for i in range(3): w = tf.cond(w[0] > 0, lambda: w * i, lambda: w)",
        "a = 0\nfor i in range(9): a = a + i\nb = w * a",
        "if w.shape.ndims is None: a = w\nelse: a = -w\nb = a",
        "a = max([1, 2]) + min(3, 4) + abs(-5) + sum([1, 2]) + int(2.5) + len([w])",
        "a = 1 / 0",  # what raises is left to raise
        "a = [1][5]",
    ],
)
def test_a_graph_that_ends_is_accepted(checks_of, code):
    assert checks_of(case(code))
