"""What the code of a case may not say, with the place in the file and the nearest right name."""

import pytest

from gradparity.language import tf_names

CASE = """\
about: Code.
inputs:
  w: {variable: [1.0, 2.0]}
  x: {constant: 3.0}
graph: |
  z = w * x
  CODE
gradients:
  - {ys: z, xs: w}
"""


def case(code: str) -> str:
    return CASE.replace("CODE", code.replace("\n", "\n  "))


@pytest.mark.parametrize(
    ("code", "column", "message", "hint"),
    [
        ("__import__('os').system('id')", 1, "the name '__import__' is not allowed", "Python's"),
        ("a = __builtins__", 5, "the name '__builtins__' is not allowed", ""),
        ("import os", 1, "imports are not allowed", "`tf` and `np` are there already"),
        ("from os import system", 1, "imports are not allowed", ""),
        (
            "tf.io.write_file('/tmp/a', 'b')",
            1,
            "tf.io.write_file is not allowed: it touches files",
            "",
        ),
        ("a = tf.write_file('/tmp/a', 'b')", 5, "it touches files", ""),
        ("a = tf.read_file('/etc/passwd')", 5, "it touches files", ""),
        ("a = tf.io.gfile.GFile('a')", 5, "it touches files", ""),
        ("a = tf.raw_ops.WriteFile(filename='a', contents='b')", 5, "it touches files", ""),
        ("a = tf.train.Saver()", 5, "it touches files", ""),
        ("a = tf.load_library('a.so')", 5, "it touches files", ""),
        ("a = tf.py_func(tf.identity, [w], tf.float32)", 5, "it calls back into Python", ""),
        ("a = tf.raw_ops.PyFunc(input=[w], token='t', Tout=[])", 5, "calls back into Python", ""),
        ("a = tf.raw_ops.Abort()", 5, "it changes the process", ""),
        ("tf.enable_eager_execution()", 1, "choose a `profile` instead", ""),
        ("tf.print(w)", 1, "tf.print is not allowed: it prints", ""),
        ("a = tf.Session()", 5, "the harness runs the graph", ""),
        ("a = tf.train.Server({})", 5, "not allowed", ""),
        ("a = tf.data.Dataset", 5, "give data as `inputs`", ""),
        ("a = tf.keras.layers.Dense(1)", 5, "a library above", ""),
        ("a = tf.contrib.layers.flatten(w)", 5, "no longer has it", ""),
        (
            "a = tf.reduce_summ(w)",
            5,
            "unknown name tf.reduce_summ",
            "did you mean 'tf.reduce_sum'?",
        ),
        ("a = tf.nn.rellu(w)", 5, "unknown name tf.nn.rellu", "did you mean 'tf.nn.relu'?"),
        ("a = tf.nn", 5, "tf.nn is a module", ""),
        ("a = tf", 5, "'tf' alone is not a value", ""),
        ("a = tf.float32.__class__", 5, "the attribute '__class__' is not allowed", ""),
        ("a = w.__class__.__mro__", 5, "'__class__' is not allowed", ""),
        ("a = w._op", 5, "the attribute '_op' is not allowed", ""),
        ("a = w.eval()", 5, "the attribute 'eval' is not on the list", ""),
        ("a = w.shpae", 5, "the attribute 'shpae'", "did you mean 'shape'?"),
        ("a = w.graph.name", 5, "a chain of attributes: graph.name", "bind the object's .graph"),
        ("a = np.random.normal()", 5, "np.random.normal is not allowed", ""),
        ("a = np.load('a')", 5, "np.load is not allowed", ""),
        ("a = np.zeroes(3)", 5, "np.zeroes is not allowed", "did you mean 'np.zeros'?"),
        ("a = open('a')", 5, "unknown name 'open'", "of Python's own functions there are"),
        ("a = eval('1')", 5, "unknown name 'eval'", ""),
        ("a = getattr(w, 'a')", 5, "unknown name 'getattr'", ""),
        ("a = zz + 1", 5, "unknown name 'zz'", "did you mean 'z'?"),
        ("a = later\nlater = w", 5, "'later' is used before it is bound", "further up"),
        ("w.a = 3", 1, "assigning to an attribute is not allowed", "assign to names"),
        ("z[0] = 3", 1, "assigning to an element is not allowed", ""),
        ("tf = w", 1, "the name 'tf' has a meaning of its own", ""),
        ("gradients = w", 1, "the name 'gradients' has a meaning of its own", ""),
        ("range = w", 1, "the name 'range' has a meaning of its own", ""),
        ("def f(tf):\n  return tf", 7, "the name 'tf' has a meaning of its own", ""),
        ("class A: pass", 1, "classes are not allowed", "write functions"),
        (
            "try:\n  a = 1\nexcept ValueError:\n  pass",
            1,
            "`try` is not allowed",
            "`raises: ValueError`",
        ),
        ("raise ValueError", 1, "`raise` is not allowed", "`raises: ValueError`"),
        ("assert True", 1, "`assert` is not allowed", "`expect`"),
        ("del z", 1, "`del` is not allowed", ""),
        ("def f():\n  global z", 3, "`global` is not allowed", ""),
        ("def f():\n  yield 1", 3, "`yield` is not allowed", ""),
        ("async def f(): pass", 1, "`async` is not allowed", ""),
        ("a = (b := w)", 6, "`:=` is not allowed", ""),
        ("a = f'{w}'", 5, "f-strings are not allowed", ""),
        ("a = sum(i for i in [1])", 8, "generator expressions are not allowed", "write a list"),
        ("a: int = 3", 1, "`annassign` is not allowed", ""),
        ("a = w if x else", 16, "not valid Python", ""),
        ("a = (w", 5, "not valid Python: '(' was never closed", ""),
        ("return w", 1, "`return` outside a function", ""),
        ("a = tf.add(x=w, x=w)", 17, "not valid Python: keyword argument repeated", ""),
        ("a = '''é''' + zz", 15, "unknown name 'zz'", ""),
    ],
)
def test_code_is_refused_where_it_stands(problems_of, code, column, message, hint):
    problem = problems_of(case(code))[0]
    assert message in problem.message
    assert hint in problem.hint
    line = 8 if code.startswith(("def f():\n", "def f(tf)")) and column == 3 else 7
    assert (problem.line, problem.column) == (line, column + 2)


def test_every_problem_of_a_graph_is_reported(problems_of):
    found = problems_of(case("a = zz\nb = tf.reduce_summ(w)\nimport os\nos.system('x')"))
    assert [(p.line, p.message) for p in found] == [
        (7, "unknown name 'zz'"),
        (8, "unknown name tf.reduce_summ"),
        (9, "imports are not allowed"),
        (10, "the attribute 'system' is not on the list of a case"),
    ]


def test_an_expression_of_a_query_is_checked_like_the_graph(problems_of):
    text = case("").replace("ys: z", "ys: [z, \"z + __import__('os')\"]")
    problem = problems_of(text)[0]
    assert problem.message == "the name '__import__' is not allowed"
    assert (problem.line, problem.column) == (9, 19)


@pytest.mark.parametrize(
    "query",
    [
        "{ys: zz, xs: w}",
        "{ys: z, xs: [w, zz]}",
        "{ys: z, xs: w, stop_gradients: [zz]}",
        "{ys: z, xs: w, grad_ys: [zz]}",
        "{ys: z, xs: w, grad_ys: zz}",
    ],
)
def test_an_unknown_name_in_a_query_is_found_where_it_stands(problem_of, query):
    problem = problem_of(case("").replace("{ys: z, xs: w}", query))
    assert (problem.line, problem.column) == (9, 5 + query.index("zz"))
    assert problem.hint == "did you mean 'z'?"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('{ys: "z, w", xs: w}', "several expressions in one"),
        ('{ys: "z # the last", xs: w}', "without a comment"),
        ("{ys: [[z, w]], xs: w}", "an expression is text"),
        ("{ys: 'z +', xs: w}", "not valid Python"),
        ("{ys: '[*z]', xs: w}", "how often this repeats"),
    ],
)
def test_an_expression_is_one_expression(problems_of, query, message):
    found = problems_of(case("").replace("{ys: z, xs: w}", query))
    assert message in found[0].message


ALLOWED = """\
a, b = tf.split(w, 2); c = a * b
with tf.name_scope('scope'), tf.control_dependencies([c]):
    d = tf.identity(c)  # a comment
def double(v, times=2, *rest, **named):
    return v * times
triple = lambda v: v * 3
e = double(d, times=3) + triple(d)
if x.dtype == tf.float32:
    e = e + 1
else:
    e = e - 1
for i in range(3):
    e = e * (i + 1)
f = [tf.square(w[i]) for i in range(2) if i]
g = tf.add_n(f + [w[0]])
h = w[..., tf.newaxis][0:1, ::-1] @ tf.ones([1, 2])
i32 = tf.cast(w, tf.int32)
k = np.array([1.0, np.pi], dtype=np.float32) * w
l = tf.cond(x > 0, lambda: w * 2, lambda: w)
m = tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * w), [0, w])[1]
@tf.custom_gradient
def n(v):
    def grad(dy):
        return dy * 2.0
    return v * v, grad
o = n(w)
p = tf.gradients(tf.reduce_sum(o), w)[0]
q = tf.map_fn(lambda v: v * x, w)
r = w.shape.ndims + w.get_shape().as_list()[0]
s = w if r > 1 and not r == 7 else -w
t = tf.get_variable('t', shape=[2], initializer=tf.zeros_initializer())
u = t.assign_add(w)
ta = tf.TensorArray(tf.float32, 2).write(0, x)
for name, v in zip(['a', 'b'], [w, x]):
    y = tf.identity(v, name='%s_%d' % (name, 1))
aa = tf.raw_ops.Mul(x=w, y=w) + tf.math.special.bessel_j0(w)
bb = tf.AggregationMethod.ADD_N
@tf.RegisterGradient('Tenfold')
def tenfold(op, grad):
    return 10.0 * grad * op.inputs[0]
with tf.get_default_graph().gradient_override_map({'Identity': 'Tenfold'}):
    cc = tf.identity(w)
dd = tf.train.AdamOptimizer(0.1).minimize(x, gate_gradients=tf.train.Optimizer.GATE_NONE)
pass
"""


def test_what_tf1_programs_say_is_allowed(checks_of):
    assert checks_of(case(ALLOWED))


# The list of names


def test_the_list_says_how_it_was_made():
    from importlib import resources

    text = resources.files("gradparity").joinpath("language/tf_names.txt").read_text("utf-8")
    assert "tools/list_tf_names.py" in text.splitlines()[2]


def test_nothing_forbidden_is_on_the_list():
    assert [name for name in tf_names.allowed() if tf_names.reason_against(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "add",
        "reduce_sum",
        "stop_gradient",
        "gradients",
        "hessians",
        "Variable",
        "get_variable",
        "placeholder",
        "float32",
        "bfloat16",
        "nn.relu",
        "nn.top_k",
        "linalg.inv",
        "image.resize",
        "signal.fft",
        "strings.length",
        "random.uniform",
        "bitwise.invert",
        "sparse.add",
        "ragged.constant",
        "losses.mean_squared_error",
        "train.GradientDescentOptimizer",
        "train.Optimizer.GATE_GRAPH",
        "RegisterGradient",
        "UnconnectedGradients.ZERO",
        "AggregationMethod.ADD_N",
        "raw_ops.ReluGrad",
        "raw_ops.NthElement",
        "raw_ops.TensorListElementShape",
        "custom_gradient",
        "cond",
        "while_loop",
        "TensorArray",
        "IndexedSlices",
        "SparseTensor",
        "math.betainc",
    ],
)
def test_what_cases_need_is_on_the_list(name):
    assert name in tf_names.allowed()
