"""The rows of rivals.py about images: convolution, pooling, normalisation, and a small network.

Each is the forward pass and its gradients, in float32 and channels last. `by_hand` is what a
careful programmer writes in NumPy for these very shapes: it keeps from the forward pass what
the gradients need, and so says where NumPy's own limit lies.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided
from workloads import normal, runner

# -- by hand -----------------------------------------------------------------------------


def patches(padded, height, width):
    """[batch·rows·columns, height·width·channels] of padded images, stride 1."""
    batch, rows, columns, channels = padded.shape
    rows, columns = rows - height + 1, columns - width + 1
    strides = padded.strides
    view = as_strided(
        padded, (batch, rows, columns, height, width, channels), (*strides[:3], *strides[1:])
    )
    if channels > 1:
        return view.reshape(batch * rows * columns, -1)
    return view.transpose(3, 4, 5, 0, 1, 2).reshape(height * width, -1).T


def padded(images):
    """Images with a border of one zero."""
    batch, height, width, channels = images.shape
    result = np.zeros((batch, height + 2, width + 2, channels), images.dtype)
    result[:, 1:-1, 1:-1] = images
    return result


def convolution_by_images(grads, w, batch, size):
    """The gradient of a 3x3 convolution of stride 1 by its images."""
    shares = np.matmul(grads, w.reshape(9, *w.shape[2:]).transpose(0, 2, 1))
    shares = shares.reshape(3, 3, batch, size, size, -1)
    result = np.zeros((batch, size + 2, size + 2, w.shape[2]), np.float32)
    for i in range(3):
        for j in range(3):
            result[:, i : i + size, j : j + size] += shares[i, j]
    return result[:, 1:-1, 1:-1]


def corners(images):
    """The four views of the 2x2 windows that lie side by side."""
    return [images[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]


def pooled(images):
    """The greatest of each 2x2 window."""
    a, b, c, d = corners(images)
    result = np.maximum(a, b)
    np.maximum(result, c, out=result)
    np.maximum(result, d, out=result)
    return result


def unpooled(images, greatest, grads):
    """The gradient of `pooled`; the first of equal ones takes all."""
    result, free = np.empty_like(images), True
    for seen, made in zip(corners(images), corners(result), strict=True):
        hit = (seen == greatest) & free
        free = free & ~hit
        np.multiply(grads, hit, out=made)
    return result


# -- rows --------------------------------------------------------------------------------


class Convolution:
    """One 3x3 convolution and its gradients by images and filter."""

    name = "conv 3x3, 16x14x14x16 to 32"
    tolerance = 1e-5
    shape, outputs = (16, 14, 14, 16), 32

    def __init__(self):
        self.x = normal(1, *self.shape) * 10
        self.w = normal(2, 3, 3, self.shape[-1], self.outputs)
        self.weights = normal(3, *self.shape[:-1], self.outputs)

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            x, w = (tf.placeholder(tf.float32, value.shape) for value in (self.x, self.w))
            y = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME")
            gradients = tf.gradients(y, [x, w], grad_ys=tf.constant(self.weights))
            return runner(tf, graph, [*gradients, y], {x: self.x, w: self.w})

    def by_hand(self, np):
        batch, size, _, _ = self.shape
        flat = self.weights.reshape(-1, self.outputs)

        def call():
            rows = patches(padded(self.x), 3, 3)
            y = (rows @ self.w.reshape(-1, self.outputs)).reshape(self.weights.shape)
            by_filter = (rows.T @ flat).reshape(self.w.shape)
            return [convolution_by_images(flat, self.w, batch, size), by_filter, y]

        return call

    def with_torch(self, torch):
        x = torch.tensor(self.x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
        w = torch.tensor(self.w.transpose(3, 2, 0, 1).copy(), requires_grad=True)
        weights = torch.tensor(self.weights.transpose(0, 3, 1, 2).copy())

        def call():
            y = torch.nn.functional.conv2d(x, w, padding=1)
            by_x, by_w = torch.autograd.grad(y, [x, w], weights)
            images = (t.detach().permute(0, 2, 3, 1) for t in (by_x, y))
            by_x, y = images
            return [by_x, by_w.permute(2, 3, 1, 0), y]

        return call


class Pooling:
    """Max pooling over 2x2 windows, and its gradient."""

    name = "max pool 2x2, 16x28x28x16"
    tolerance = 0.0

    def __init__(self):
        self.x, self.weights = normal(1, 16, 28, 28, 16), normal(2, 16, 14, 14, 16)

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, self.x.shape)
            y = tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
            gradients = tf.gradients(y, x, grad_ys=tf.constant(self.weights))
            return runner(tf, graph, gradients, {x: self.x})

    def by_hand(self, np):
        return lambda: [unpooled(self.x, pooled(self.x), self.weights)]

    def with_torch(self, torch):
        x = torch.tensor(self.x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
        weights = torch.tensor(self.weights.transpose(0, 3, 1, 2).copy())

        def call():
            y = torch.nn.functional.max_pool2d(x, 2)
            return [torch.autograd.grad(y, x, weights)[0].permute(0, 2, 3, 1)]

        return call


class BatchNorm:
    """Batch normalisation when training, and its gradients by images, scale and offset."""

    name = "batch norm, 16x28x28x16"
    tolerance = 2e-5

    def __init__(self):
        self.x, self.weights = normal(1, 16, 28, 28, 16) * 10, normal(2, 16, 28, 28, 16)
        self.scale, self.offset = normal(3, 16) + 1, normal(4, 16)

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            values = (self.x, self.scale, self.offset)
            xs = [tf.placeholder(tf.float32, value.shape) for value in values]
            y, _, _ = tf.nn.fused_batch_norm(*xs)
            gradients = tf.gradients(y, xs, grad_ys=tf.constant(self.weights))
            return runner(tf, graph, gradients, dict(zip(xs, values, strict=True)))

    def by_hand(self, np):
        x, grads = self.x.reshape(-1, 16), self.weights.reshape(-1, 16)
        count = np.float32(len(x))
        ones = np.ones(len(x), np.float32)

        def call():
            # A product with ones is the quickest sum over short rows.
            centred = x - ones @ x / count
            inverse = 1 / np.sqrt(ones @ (centred * centred) / count + np.float32(0.001))
            by_offset = ones @ grads
            products = ones @ (grads * centred)
            factor = self.scale * inverse
            by_x = grads - by_offset / count
            centred *= products / count * inverse * inverse
            by_x -= centred
            by_x *= factor
            return [by_x.reshape(self.x.shape), products * inverse, by_offset]

        return call

    def with_torch(self, torch):
        x = torch.tensor(self.x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
        rest = [torch.tensor(v, requires_grad=True) for v in (self.scale, self.offset)]
        weights = torch.tensor(self.weights.transpose(0, 3, 1, 2).copy())

        def call():
            y = torch.nn.functional.batch_norm(x, None, None, *rest, training=True, eps=0.001)
            by_x, *others = torch.autograd.grad(y, [x, *rest], weights)
            return [by_x.permute(0, 2, 3, 1), *others]

        return call


class CrossEntropy:
    """Softmax cross entropy of sparse labels, and its gradient."""

    name = "softmax cross entropy, 256 x 1,000"
    tolerance = 1e-5

    def __init__(self):
        self.logits = normal(1, 256, 1000) * 10
        self.labels = np.random.RandomState(2).randint(0, 1000, 256).astype(np.int32)

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            logits = tf.placeholder(tf.float32, self.logits.shape)
            labels = tf.placeholder(tf.int32, self.labels.shape)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            gradients = tf.gradients(tf.reduce_mean(losses), logits)
            return runner(tf, graph, gradients, {logits: self.logits, labels: self.labels})

    def by_hand(self, np):
        rows = np.arange(256)

        def call():
            gradient = self.logits - self.logits.max(1, keepdims=True)
            np.exp(gradient, out=gradient)
            gradient *= np.float32(1 / 256) / gradient.sum(1, keepdims=True)
            gradient[rows, self.labels] -= np.float32(1 / 256)
            return [gradient]

        return call

    def with_torch(self, torch):
        logits = torch.tensor(self.logits, requires_grad=True)
        labels = torch.tensor(self.labels.astype(np.int64))
        return lambda: torch.autograd.grad(
            torch.nn.functional.cross_entropy(logits, labels), logits
        )


class SmallCnn:
    """Two 3x3 convolutions with pooling, a dense layer, and the gradients of all weights."""

    name = "CNN 16-32-dense, batch 16 of 28x28x1"
    tolerance = 1e-4
    batch = 16

    def __init__(self):
        self.x = normal(1, self.batch, 28, 28, 1) * 10
        self.labels = np.random.RandomState(2).randint(0, 10, self.batch).astype(np.int32)
        shapes = [(3, 3, 1, 16), (16,), (3, 3, 16, 32), (32,), (7 * 7 * 32, 10), (10,)]
        self.parameters = [normal(3 + i, *shape) for i, shape in enumerate(shapes)]

    def with_tf(self, tf):
        with tf.Graph().as_default() as graph:
            parameters = [tf.placeholder(tf.float32, v.shape) for v in self.parameters]
            feeds = dict(zip(parameters, self.parameters, strict=True))
            x = h = tf.placeholder(tf.float32, self.x.shape)
            labels = tf.placeholder(tf.int32, self.labels.shape)
            for w, b in (parameters[:2], parameters[2:4]):
                h = tf.nn.conv2d(h, w, strides=[1, 1, 1, 1], padding="SAME")
                h = tf.nn.relu(tf.nn.bias_add(h, b))
                h = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
            logits = tf.matmul(tf.reshape(h, [-1, 7 * 7 * 32]), parameters[4]) + parameters[5]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            gradients = tf.gradients(tf.reduce_mean(losses), parameters)
            return runner(tf, graph, gradients, {x: self.x, labels: self.labels, **feeds})

    def by_hand(self, np):
        w1, b1, w2, b2, w3, b3 = self.parameters
        batch = self.batch
        rows = np.arange(batch)

        def layer(images, w, b):
            seen = patches(padded(images), 3, 3)
            h = seen @ w.reshape(-1, len(b))
            h += b
            np.maximum(h, 0, out=h)
            h = h.reshape(*images.shape[:3], len(b))
            return seen, h, pooled(h)

        def back(seen, h, p, grads):
            grads = unpooled(h, p, grads)
            grads *= h > 0
            grads = grads.reshape(-1, grads.shape[-1])
            return grads, seen.T @ grads, np.ones(len(grads), np.float32) @ grads

        def call():
            first = layer(self.x, w1, b1)
            second = layer(first[2], w2, b2)
            flat = second[2].reshape(batch, -1)
            d = flat @ w3
            d += b3
            d -= d.max(1, keepdims=True)
            np.exp(d, out=d)
            d *= np.float32(1 / batch) / d.sum(1, keepdims=True)
            d[rows, self.labels] -= np.float32(1 / batch)
            d3, d_b3 = flat.T @ d, d.sum(0)
            grads, d2, d_b2 = back(*second, (d @ w3.T).reshape(second[2].shape))
            grads = convolution_by_images(grads, w2, batch, 14)
            _, d1, d_b1 = back(*first, grads)
            return [d1.reshape(w1.shape), d_b1, d2.reshape(w2.shape), d_b2, d3, d_b3]

        return call

    def with_torch(self, torch):
        functional = torch.nn.functional
        kernels = [v.transpose(3, 2, 0, 1).copy() if v.ndim == 4 else v for v in self.parameters]
        parameters = [torch.tensor(v, requires_grad=True) for v in kernels]
        x = torch.tensor(self.x.transpose(0, 3, 1, 2).copy())
        labels = torch.tensor(self.labels.astype(np.int64))

        def call():
            h = x
            for w, b in (parameters[:2], parameters[2:4]):
                h = functional.max_pool2d(torch.relu(functional.conv2d(h, w, b, padding=1)), 2)
            flat = h.permute(0, 2, 3, 1).reshape(self.batch, -1)
            loss = functional.cross_entropy(flat @ parameters[4] + parameters[5], labels)
            found = torch.autograd.grad(loss, parameters)
            return [g.permute(2, 3, 1, 0) if g.ndim == 4 else g for g in found]

        return call


ROWS = [row() for row in (Convolution, Pooling, BatchNorm, CrossEntropy, SmallCnn)]
