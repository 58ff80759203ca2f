"""Program: a check as TensorFlow source code, in the stages in which it can fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Profile: TypeAlias = Literal["tf1", "v2"]


@dataclass(frozen=True)
class Program:
    """What both sides execute, letter by letter the same.

    Attributes:
      profile: the TensorFlow flags under which it is meant: "tf1" is
        `tf.disable_v2_behavior()`, "v2" TensorFlow 2's own.
      build: source that makes the inputs and the graph and ends by binding the lists
        `ys` and `xs` and the dictionary `feeds`; may use the names `tf` and `np`.
      gradients: source that binds the list `gradients`, one for each x.
    """

    profile: Profile
    build: str
    gradients: str

    def script(self, namespace: str = "tensorflow.compat.v1") -> str:
        """A standalone script that prints the ys and gradients, without this project.

        Args:
          namespace: the module it imports as `tf`.
        """
        behaviour = "disable_v2_behavior" if self.profile == "tf1" else "enable_v2_behavior"
        arrays = "import numpy as np\n" if "np." in self.build + self.gradients else ""
        body = "\n".join(
            f"    {line}" if line else ""
            for line in (self.build + "\n" + self.gradients).rstrip("\n").split("\n")
        )
        return (
            f"{arrays}import {namespace} as tf\n\n"
            f"tf.{behaviour}()\n\n"
            f"with tf.Graph().as_default(), tf.Session() as sess:\n"
            f"{body}\n"
            f"    sess.run(tf.global_variables_initializer(), feeds)\n"
            f'    print("ys:", sess.run(ys, feeds))\n'
            f'    print("gradients:", [\n'
            f"        None if g is None else sess.run(g, feeds) for g in gradients\n"
            f"    ])\n"
        )
