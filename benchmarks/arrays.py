"""The rows of rivals.py about whole arrays: reductions, indexing, sorting, matrices, Fourier.

Each is the forward pass and its gradients. `by_hand` is what a careful programmer writes in
NumPy: it keeps from the forward pass what the gradients need, and so says where NumPy's own
limit lies.
"""

import numpy as np
from workloads import normal, runner


class Weighted:
    """A row that a `graph` of inputs and weights of its ys describe.

    A subclass sets `inputs` and `weights`, NumPy arrays, and has `graph(tf, *inputs)`, which
    returns the ys. The call returns the gradients by all inputs, then the ys.
    """

    tolerance = 1e-5

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            xs = [tf.placeholder(value.dtype, value.shape) for value in self.inputs]
            ys = self.graph(tf, *xs)
            gradients = tf.gradients(ys, xs, grad_ys=[tf.constant(w) for w in self.weights])
            feeds = dict(zip(xs, self.inputs, strict=True))
            return runner(tf, graph, [*gradients, *ys], feeds)


class Reductions(Weighted):
    """Sum, mean, greatest and log-sum-exp of a matrix, by rows and columns."""

    name = "sum, mean, max, logsumexp of 512x1024"

    def __init__(self):
        self.inputs = [normal(1, 512, 1024) * 10]
        self.weights = [normal(2 + i, size) for i, size in enumerate((512, 1024, 512, 512))]

    def graph(self, tf, x):
        return [
            tf.reduce_sum(x, 1),
            tf.reduce_mean(x, 0),
            tf.reduce_max(x, 1),
            tf.reduce_logsumexp(x, 1),
        ]

    def by_hand(self, np):
        (x,), (by_sum, by_mean, by_max, by_log) = self.inputs, self.weights
        rows = np.arange(len(x))
        mean_share = by_mean * np.float32(1 / len(x))

        def call():
            where = x.argmax(1)
            greatest = x[rows, where]
            grads = np.exp(x - greatest[:, None])
            total = grads.sum(1)
            ys = [x.sum(1), x.mean(0), greatest, np.log(total) + greatest]
            grads *= (by_log / total)[:, None]
            grads += by_sum[:, None]
            grads += mean_share
            grads[rows, where] += by_max
            return [grads, *ys]

        return call


class GatherScatter(Weighted):
    """Rows of a table by their numbers, some more than once, and rows put into places."""

    name = "gather and scatter_nd, 4096 rows of 64"
    rows, places, width = 10_000, 4_096, 64

    def __init__(self):
        random = np.random.RandomState(1)
        self.taken = random.randint(0, self.rows, self.places).astype(np.int32)
        self.put = random.randint(0, self.rows, self.places).astype(np.int32)
        self.inputs = [normal(2, self.rows, self.width), normal(3, self.places, self.width)]
        self.weights = [normal(4, self.places, self.width), normal(5, self.rows, self.width)]

    def graph(self, tf, table, updates):
        # The product makes the table's gradient dense, as one that an optimizer sees is not.
        return [
            tf.gather(table * 2.0, self.taken),
            tf.scatter_nd(self.put[:, None], updates, [self.rows, self.width]),
        ]

    def by_hand(self, np):
        (table, updates), (by_taken, by_put) = self.inputs, self.weights

        def added(places, values):
            order = np.argsort(places, kind="stable")
            ordered = places[order]
            starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
            result = np.zeros((self.rows, self.width), np.float32)
            result[ordered[starts]] = np.add.reduceat(values[order], starts)
            return result

        def call():
            ys = [(table * np.float32(2))[self.taken], added(self.put, updates)]
            by_table = added(self.taken, by_taken)
            by_table *= np.float32(2)
            return [by_table, by_put[self.put], *ys]

        return call


class Sorted(Weighted):
    """Rows sorted, and the greatest of each."""

    name = "sort and top 50 of 256x1000"

    def __init__(self):
        random = np.random.RandomState(1)  # no two in a row are equal: their order is anybody's
        rows = [random.permutation(1000) for _ in range(256)]
        self.inputs = [np.stack(rows).astype(np.float32)]
        self.weights = [normal(2, 256, 1000), normal(3, 256, 50)]

    def graph(self, tf, x):
        return [tf.sort(x), tf.nn.top_k(x, 50).values]

    def by_hand(self, np):
        (x,), (by_sorted, by_top) = self.inputs, self.weights

        def call():
            order = np.argsort(x, 1)
            ordered = np.take_along_axis(x, order, 1)
            share = by_sorted.copy()
            share[:, -50:] += by_top[:, ::-1]
            grads = np.empty_like(x)
            np.put_along_axis(grads, order, share, 1)
            return [grads, ordered, ordered[:, :-51:-1]]

        return call


class Cholesky(Weighted):
    """Cholesky factors of a batch of matrices."""

    name = "cholesky, 16 of 64x64"
    tolerance = 1e-4

    def __init__(self):
        roots = normal(1, 16, 64, 64) * 10
        self.inputs = [roots @ roots.transpose(0, 2, 1) + 64 * np.eye(64, dtype=np.float32)]
        self.weights = [normal(2, 16, 64, 64)]

    def graph(self, tf, x):
        return [tf.linalg.cholesky(x)]

    def by_hand(self, np):
        from scipy.linalg import solve_triangular

        (x,), (weights,) = self.inputs, self.weights
        half = np.tril(np.ones(x.shape[1:], np.float32)) - np.eye(x.shape[1], dtype=np.float32) / 2

        def call():
            factors = np.linalg.cholesky(x)
            middle = half * (factors.transpose(0, 2, 1) @ weights)
            grads = np.empty_like(x)
            for one, factor, made in zip(middle, factors, grads, strict=True):
                left = solve_triangular(factor, one, trans=1, lower=True, check_finite=False)
                made[:] = solve_triangular(
                    factor, left.T, trans=1, lower=True, check_finite=False
                ).T
            grads += grads.transpose(0, 2, 1)
            grads *= np.float32(0.5)
            return [grads, factors]

        return call


class SingularValues(Weighted):
    """Singular values of a batch of matrices, whose gradient needs the vectors, too."""

    name = "svd, 16 of 32x32"
    tolerance = 1e-4

    def __init__(self):
        self.inputs = [normal(1, 16, 32, 32) * 10]
        self.weights = [normal(2, 16, 32)]

    def graph(self, tf, x):
        return [tf.linalg.svd(x)[0]]

    def by_hand(self, np):
        (x,), (weights,) = self.inputs, self.weights

        def call():
            u, s, vh = np.linalg.svd(x)
            return [(u * weights[:, None]) @ vh, s]

        return call


class Fourier(Weighted):
    """The Fourier transform of real rows."""

    name = "rfft, 256 rows of 1024"

    def __init__(self):
        self.inputs = [normal(1, 256, 1024)]
        self.weights = [(normal(2, 256, 513) + 1j * normal(3, 256, 513)).astype(np.complex64)]

    def graph(self, tf, x):
        return [tf.signal.rfft(x)]

    def by_hand(self, np):
        (x,), (weights,) = self.inputs, self.weights

        def call():
            share = weights * np.float32(x.shape[1] / 2)
            share[:, 0] *= 2
            share[:, -1] *= 2
            return [np.fft.irfft(share), np.fft.rfft(x)]

        return call


ROWS = [row() for row in (Reductions, GatherScatter, Sorted, Cholesky, SingularValues, Fourier)]
