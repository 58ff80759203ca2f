"""Trains a small network to read digits; the same program for numpy_tf and for TensorFlow.

    python digits.py --module numpy_tf
    python digits.py --module tensorflow.compat.v1 --losses losses.json

The digits are drawn here, ten bitmaps moved about and covered with noise, and the initial
weights come from a seeded NumPy generator, so that both modules train on the same numbers.
"""

import argparse
import importlib
import json

import numpy as np

STEPS = 50
BATCH = 64
HIDDEN = 64
SIDE = 7  # pixels
BITMAPS = {
    0: ".##. #..# #..# #..# .##.",
    1: "..#. .##. ..#. ..#. .###",
    2: "###. ...# .##. #... ####",
    3: "###. ...# .##. ...# ###.",
    4: "#..# #..# #### ...# ...#",
    5: "#### #... ###. ...# ###.",
    6: ".##. #... ###. #..# .##.",
    7: "#### ...# ..#. .#.. .#..",
    8: ".##. #..# .##. #..# .##.",
    9: ".##. #..# .### ...# .##.",
}


def drawn(digit):
    """The bitmap of a digit: a [5, 4] array of zeros and ones."""
    return np.array([[c == "#" for c in row] for row in BITMAPS[digit].split()], np.float32)


def digits(count, random):
    """Pictures and what they show: [count, 49] float32 and [count] int32."""
    labels = random.integers(0, 10, count)
    pictures = random.normal(0.0, 0.15, [count, SIDE, SIDE])
    for picture, label in zip(pictures, labels, strict=True):
        top, left = random.integers(1, 3), random.integers(1, 3)
        picture[top : top + 5, left : left + 4] += drawn(label)
    return pictures.reshape([count, -1]).astype(np.float32), labels.astype(np.int32)


def layer(tf, name, inputs, units, random):
    """`inputs @ weights + biases`, with weights that do not depend on the module."""
    width = int(inputs.shape[1])
    initial = random.normal(0.0, (2.0 / width) ** 0.5, [width, units]).astype(np.float32)
    with tf.variable_scope(name):
        weights = tf.get_variable("weights", initializer=initial)
        biases = tf.get_variable("biases", [units], initializer=tf.zeros_initializer())
    return tf.matmul(inputs, weights) + biases, weights


def network(tf, random):
    """The graph: placeholders, loss, accuracy, and the operation that trains one step."""
    pictures = tf.placeholder(tf.float32, [None, SIDE * SIDE], name="pictures")
    labels = tf.placeholder(tf.int32, [None], name="labels")
    hidden, first = layer(tf, "hidden", pictures, HIDDEN, random)
    logits, second = layer(tf, "output", tf.nn.relu(hidden), 10, random)

    wrong = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    decay = 1e-4 * (tf.nn.l2_loss(first) + tf.nn.l2_loss(second))
    loss = tf.reduce_mean(wrong) + decay
    read = tf.argmax(logits, 1, output_type=tf.int32)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(read, labels), tf.float32))

    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(0.1, step, decay_steps=20, decay_rate=0.8, staircase=True)
    optimizer = tf.train.MomentumOptimizer(rate, momentum=0.9)
    gradients, variables = zip(*optimizer.compute_gradients(loss), strict=True)
    clipped, _ = tf.clip_by_global_norm(gradients, 5.0)
    train = optimizer.apply_gradients(zip(clipped, variables, strict=True), global_step=step)
    return pictures, labels, loss, accuracy, train


def train(tf):
    """Trains from the same start each time.

    Returns:
      The loss of each step's batch, before the step, and the accuracy on other digits.
    """
    random = np.random.default_rng(7)
    data, names = digits(1000, random)
    test_data, test_names = digits(500, random)
    losses = []
    with tf.Graph().as_default():
        pictures, labels, loss, accuracy, step = network(tf, random)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for i in range(STEPS):
                batch = random.integers(0, len(data), BATCH)
                feed = {pictures: data[batch], labels: names[batch]}
                value, _ = session.run([loss, step], feed_dict=feed)
                losses.append(float(value))
                if i % 10 == 9:
                    print(f"step {i + 1:2}  loss {value:.6f}")
            reached = session.run(accuracy, {pictures: test_data, labels: test_names})
    print(f"accuracy on digits not trained on: {reached:.1%}")
    return losses, float(reached)


def main():
    """Reads the command line, trains, and writes the losses if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", default="numpy_tf", help="numpy_tf or tensorflow.compat.v1")
    parser.add_argument("--losses", help="a JSON file for the loss of each step")
    arguments = parser.parse_args()
    package, _, rest = arguments.module.partition(".")
    tf = importlib.import_module(package)
    for name in filter(None, rest.split(".")):
        tf = getattr(tf, name)
    tf.disable_v2_behavior()
    losses, accuracy = train(tf)
    if arguments.losses:
        with open(arguments.losses, "w", encoding="utf-8") as file:
            json.dump({"losses": losses, "accuracy": accuracy}, file)


if __name__ == "__main__":
    main()
