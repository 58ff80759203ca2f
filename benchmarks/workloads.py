"""What the contestants of rivals.py compute: each row in each library's own idiom.

`tf` serves both numpy_tf and TensorFlow: the same source makes both graphs. The makers return
a call without arguments; what a program would do once (building a graph, making plans) is
done before, except where the row says "from scratch".
"""

import numpy as np

# Column -> module, and the method of a row that makes its call.
CONTESTANTS = {
    "numpy_tf": ("numpy_tf", "with_tf"),
    "tensorflow": ("tensorflow", "with_tf"),
    "numpy": ("numpy", "by_hand"),
    "autograd": ("autograd", "with_autograd"),
    "pytorch": ("torch", "with_torch"),
}


def prepared(library):
    """The library made ready: one thread, graph mode."""
    if library.__name__ == "tensorflow":
        library = library.compat.v1
        library.disable_v2_behavior()
    elif library.__name__ == "torch":
        library.set_num_threads(1)
    return library


def session(tf, graph):
    """A session as a user would make one, on one thread."""
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    return tf.Session(graph=graph, config=config)


def runner(tf, graph, fetches, feeds):
    """A call that runs prepared fetches."""
    opened = session(tf, graph)
    return lambda: opened.run(fetches, feeds)


def normal(seed, *shape):
    """Seeded float32 numbers."""
    return np.random.RandomState(seed).normal(0, 0.1, shape).astype(np.float32)


class Mlp:
    """Two hidden relu layers, mean squared error: forward and gradients of all weights."""

    name = "MLP 64-256-256-10, batch 32"
    tolerance = 1e-5
    sizes = (64, 256, 256, 10)

    def __init__(self):
        self.x, self.target = normal(1, 32, 64) * 10, normal(2, 32, 10)
        self.weights = [
            normal(3 + i, a, b)
            for i, (a, b) in enumerate(zip(self.sizes, self.sizes[1:], strict=False))
        ]
        self.biases = [normal(7 + i, b) for i, b in enumerate(self.sizes[1:])]

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            feeds = {}
            parameters = []
            for value in (*self.weights, *self.biases):
                parameters.append(tf.placeholder(tf.float32, value.shape))
                feeds[parameters[-1]] = value
            x = tf.placeholder(tf.float32, self.x.shape)
            target = tf.placeholder(tf.float32, self.target.shape)
            feeds.update({x: self.x, target: self.target})
            h = x
            for w, b in zip(parameters[:2], parameters[3:5], strict=True):
                h = tf.nn.relu(tf.matmul(h, w) + b)
            y = tf.matmul(h, parameters[2]) + parameters[5]
            loss = tf.reduce_mean(tf.square(y - target))
            return runner(tf, graph, tf.gradients(loss, parameters), feeds)

    def by_hand(self, np):
        (w1, w2, w3), (b1, b2, b3) = self.weights, self.biases

        def call():
            h1 = np.maximum(self.x @ w1 + b1, 0)
            h2 = np.maximum(h1 @ w2 + b2, 0)
            y = h2 @ w3 + b3
            d3 = (y - self.target) * np.float32(2 / y.size)
            d2 = (d3 @ w3.T) * (h2 > 0)
            d1 = (d2 @ w2.T) * (h1 > 0)
            return [self.x.T @ d1, h1.T @ d2, h2.T @ d3, d1.sum(0), d2.sum(0), d3.sum(0)]

        return call

    def with_autograd(self, autograd):
        import autograd.numpy as anp

        def loss(parameters):
            h = self.x
            for w, b in zip(parameters[:2], parameters[3:5], strict=True):
                h = anp.maximum(anp.dot(h, w) + b, 0)
            return anp.mean((anp.dot(h, parameters[2]) + parameters[5] - self.target) ** 2)

        gradient = autograd.grad(loss)
        return lambda: gradient([*self.weights, *self.biases])

    def with_torch(self, torch):
        parameters = [torch.tensor(v, requires_grad=True) for v in (*self.weights, *self.biases)]
        x, target = torch.tensor(self.x), torch.tensor(self.target)

        def call():
            h = x
            for w, b in zip(parameters[:2], parameters[3:5], strict=True):
                h = torch.relu(h @ w + b)
            y = h @ parameters[2] + parameters[5]
            return torch.autograd.grad(((y - target) ** 2).mean(), parameters)

        return call


class Lstm:
    """An LSTM cell unrolled: gradients of its weights and bias."""

    name = "LSTM, 20 steps, hidden 64, batch 8"
    tolerance = 1e-4
    steps, hidden, batch = 20, 64, 8

    def __init__(self):
        self.x = normal(1, self.steps, self.batch, self.hidden) * 10
        self.w = normal(2, 2 * self.hidden, 4 * self.hidden)
        self.b = normal(3, 4 * self.hidden)
        self.start = np.zeros((self.batch, self.hidden), np.float32)

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, self.x.shape)
            w, b = (
                tf.placeholder(tf.float32, self.w.shape),
                tf.placeholder(tf.float32, self.b.shape),
            )
            h, c = tf.constant(self.start), tf.constant(self.start)
            for step in tf.unstack(x):
                gates = tf.matmul(tf.concat([step, h], 1), w) + b
                i, f, o, g = tf.split(gates, 4, axis=1)
                c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
                h = tf.sigmoid(o) * tf.tanh(c)
            gradients = tf.gradients(tf.reduce_sum(h * h), [w, b])
            return runner(tf, graph, gradients, {x: self.x, w: self.w, b: self.b})

    def by_hand(self, np):
        n = self.hidden

        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        def call():
            h, c, tape = self.start, self.start, []
            for step in self.x:
                joined = np.concatenate([step, h], 1)
                gates = joined @ self.w + self.b
                i, f, o = (sigmoid(gates[:, k * n : (k + 1) * n]) for k in range(3))
                g = np.tanh(gates[:, 3 * n :])
                before = c
                c = f * c + i * g
                t = np.tanh(c)
                h = o * t
                tape.append((joined, i, f, o, g, before, t))
            dw, db = np.zeros_like(self.w), np.zeros_like(self.b)
            dh, dc = 2 * h, np.zeros_like(c)
            for joined, i, f, o, g, before, t in reversed(tape):
                dc = dc + dh * o * (1 - t * t)
                d = np.concatenate(
                    [
                        dc * g * i * (1 - i),
                        dc * before * f * (1 - f),
                        dh * t * o * (1 - o),
                        dc * i * (1 - g * g),
                    ],
                    1,
                )
                dw += joined.T @ d
                db += d.sum(0)
                dh = (d @ self.w.T)[:, n:]
                dc = dc * f
            return [dw, db]

        return call

    def with_autograd(self, autograd):
        import autograd.numpy as anp

        n = self.hidden

        def sigmoid(x):
            return 1 / (1 + anp.exp(-x))

        def loss(parameters):
            w, b = parameters
            h = c = self.start
            for step in self.x:
                gates = anp.dot(anp.concatenate([step, h], 1), w) + b
                i, f, o = (sigmoid(gates[:, k * n : (k + 1) * n]) for k in range(3))
                c = f * c + i * anp.tanh(gates[:, 3 * n :])
                h = o * anp.tanh(c)
            return anp.sum(h * h)

        gradient = autograd.grad(loss)
        return lambda: gradient([self.w, self.b])

    def with_torch(self, torch):
        w, b = (torch.tensor(v, requires_grad=True) for v in (self.w, self.b))
        x, start = torch.tensor(self.x), torch.tensor(self.start)

        def call():
            h = c = start
            for step in x:
                gates = torch.cat([step, h], 1) @ w + b
                i, f, o, g = gates.chunk(4, 1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
            return torch.autograd.grad((h * h).sum(), [w, b])

        return call


class Elementwise:
    """Ten elementwise operations on a large array, and the gradient."""

    name = "ten elementwise ops on 4M floats"
    tolerance = 1e-5

    def __init__(self):
        self.x = normal(1, 4_000_000) * 10

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, self.x.shape)
            y = tf.tanh(x * 0.5 + 1.0)
            y = tf.sqrt(tf.square(y) + 0.1) * x
            y = tf.exp(-y) - x
            return runner(tf, graph, tf.gradients(y * y, x), {x: self.x})

    def by_hand(self, np):
        half, one, tenth = np.float32(0.5), np.float32(1), np.float32(0.1)

        def call():
            x = self.x
            t = np.tanh(x * half + one)
            r = np.sqrt(t * t + tenth)
            e = np.exp(-(r * x))
            d = 2 * (e - x)
            dm = -d * e
            dt = dm * x / r * t
            return [dt * (1 - t * t) * half + dm * r - d]

        return call

    def with_autograd(self, autograd):
        import autograd.numpy as anp

        def f(x):
            y = anp.tanh(x * 0.5 + 1.0)
            y = anp.sqrt(y * y + 0.1) * x
            y = anp.exp(-y) - x
            return anp.sum(y * y)

        gradient = autograd.grad(f)
        return lambda: [gradient(self.x)]

    def with_torch(self, torch):
        x = torch.tensor(self.x, requires_grad=True)

        def call():
            y = torch.tanh(x * 0.5 + 1.0)
            y = torch.sqrt(torch.square(y) + 0.1) * x
            y = torch.exp(-y) - x
            return torch.autograd.grad((y * y).sum(), x)

        return call


class HessianVector:
    """The Hessian of a function of 50 variables, times a vector, by differentiating twice."""

    name = "Hessian-vector product, 50 dimensions"
    tolerance = 1e-4

    def __init__(self):
        self.a, self.x, self.v = normal(1, 50, 50) * 10, normal(2, 50), normal(3, 50)

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            x, v = tf.placeholder(tf.float32, [50]), tf.placeholder(tf.float32, [50])
            a = tf.constant(self.a)
            y = tf.reduce_sum(
                tf.square(tf.tanh(tf.reshape(tf.matmul(a, tf.reshape(x, [50, 1])), [50])))
            )
            (gradient,) = tf.gradients(y, x)
            product = tf.gradients(gradient, x, grad_ys=v)
            return runner(tf, graph, product, {x: self.x, v: self.v})

    def by_hand(self, np):
        def call():
            t = np.tanh(self.a @ self.x)
            s = 1 - t * t
            tangent = s * (self.a @ self.v)
            # d(2·t·s)/dt = 2·s - 4·t², along the tangent.
            return [self.a.T @ ((2 * s - 4 * t * t) * tangent)]

        return call

    def with_autograd(self, autograd):
        import autograd.numpy as anp

        product = autograd.make_hvp(lambda x: anp.sum(anp.tanh(anp.dot(self.a, x)) ** 2))
        return lambda: [product(self.x)[0](self.v)]

    def with_torch(self, torch):
        a, v = torch.tensor(self.a), torch.tensor(self.v)
        x = torch.tensor(self.x, requires_grad=True)

        def call():
            y = torch.square(torch.tanh(a @ x)).sum()
            (gradient,) = torch.autograd.grad(y, x, create_graph=True)
            return torch.autograd.grad(gradient, x, v)

        return call


class Chain:
    """A chain of scalar sines, evaluated again: what an executor costs for each op."""

    name = "chain of 1,000 scalar ops, again"
    tolerance = 1e-4
    length = 1000

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            x = y = tf.placeholder(tf.float32, [])
            for _ in range(self.length):
                y = tf.sin(y)
            return runner(tf, graph, tf.gradients(y, x), {x: np.float32(0.5)})

    def by_hand(self, np):
        def call():
            y, values = np.float32(0.5), []
            for _ in range(self.length):
                values.append(y)
                y = np.sin(y)
            gradient = np.float32(1)
            for value in reversed(values):
                gradient = gradient * np.cos(value)
            return [gradient]

        return call

    def with_autograd(self, autograd):
        import autograd.numpy as anp

        def f(x):
            for _ in range(self.length):
                x = anp.sin(x)
            return x

        gradient = autograd.grad(f)
        return lambda: [gradient(0.5)]

    def with_torch(self, torch):
        x = torch.tensor(0.5, requires_grad=True)

        def call():
            y = x
            for _ in range(self.length):
                y = torch.sin(y)
            return torch.autograd.grad(y, x)

        return call


class FanOut:
    """One vector taken by 10,000 operations: one sum of 10,000 contributions."""

    name = "one vector used 10,000 times"
    tolerance = 1e-3  # PyTorch and the hand-written sum add one by one
    uses = 10_000

    def __init__(self):
        self.x = normal(1, 100)
        self.factors = (np.arange(self.uses) / self.uses).astype(np.float32)

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, [100])
            y = tf.add_n([tf.sin(x * factor) for factor in self.factors])
            return runner(tf, graph, tf.gradients(y, x), {x: self.x})

    def by_hand(self, np):
        def call():
            gradient = np.zeros_like(self.x)
            for factor in self.factors:
                gradient += np.cos(self.x * factor) * factor
            return [gradient]

        return call

    def with_torch(self, torch):
        x = torch.tensor(self.x, requires_grad=True)
        factors = self.factors.tolist()

        def call():
            y = torch.zeros_like(x)
            for factor in factors:
                y = y + torch.sin(x * factor)
            return torch.autograd.grad(y.sum(), x)

        return call


class Tutorial:
    """The tutorial's weighted sum, built, differentiated and run from scratch each time."""

    name = "tutorial graph, from scratch"
    tolerance = 0.0

    def with_tf(self, tf):
        def call():
            with tf.Graph().as_default() as graph:
                w1, w2, w3, w4 = (tf.Variable([1.0, 2.0, 3.0]) for _ in range(4))
                z1 = w1 + w2 + w3
                z2 = w3 + w4
                weights = [
                    tf.convert_to_tensor([2.0, 2.0, 3.0]),
                    tf.convert_to_tensor([3.0, 2.0, 4.0]),
                ]
                gradients = tf.gradients([z1, z2], [w1, w2, w3, w4], grad_ys=weights)
                with session(tf, graph) as opened:
                    opened.run(tf.global_variables_initializer())
                    return opened.run(gradients)

        return call


ROWS = [row() for row in (Mlp, Lstm, Elementwise, HessianVector, Chain, FanOut, Tutorial)]
