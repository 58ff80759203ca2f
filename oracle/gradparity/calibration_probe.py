"""One TensorFlow configuration's answers to the calibration's questions, behind pickled files.

A script for a process of its own, since environment variables decide before TensorFlow is
imported. It reads a file of questions, each an op, its arrays and how they are fed, and
writes a file of answers. `gradparity calibrate` asks it; see `calibration`.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Mapping
from typing import Any


def answers(questions: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Question's name -> TensorFlow's array, or the text of its error.

    Args:
      questions: name -> {"code": Python over `tf` and the arrays a and b, "arrays": [...],
        "pieces": how many elements are computed at a time, or None for all}.
      settings: "threads", and "xla", whether functions are compiled.
    """
    import tensorflow as tf

    from gradparity import worker

    config = worker.session_config(tf.compat.v1, worker.settings_of("default"))
    config.intra_op_parallelism_threads = settings["threads"]
    found: dict[str, Any] = {}
    for name, question in questions.items():
        try:
            found[name] = _answer(tf, question, config, settings["xla"])
        except Exception as error:  # an op that this configuration lacks
            found[name] = f"{type(error).__name__}: {str(error)[:200]}"
    return found


def _answer(tf: Any, question: Mapping[str, Any], config: Any, xla: bool) -> Any:
    import numpy as np

    arrays = question["arrays"]
    with tf.Graph().as_default(), tf.compat.v1.Session(config=config) as session:
        fed = [
            tf.compat.v1.placeholder(a.dtype, [None] * a.ndim if question["pieces"] else a.shape)
            for a in arrays
        ]
        compute = eval(f"lambda tf, {', '.join('ab'[: len(arrays)])}: {question['code']}")
        if xla:
            result = tf.function(lambda *of: compute(tf, *of), jit_compile=True)(*fed)
        else:
            result = compute(tf, *fed)
        run = session.make_callable(result, fed)
        if question["pieces"] is None:
            return run(*arrays)
        size = len(arrays[0])
        starts = range(0, size, question["pieces"])
        return np.concatenate(
            [run(*(a[start : start + question["pieces"]] for a in arrays)) for start in starts]
        )


def main() -> None:
    """Arguments: the file of questions, that of answers, and the settings as JSON."""
    asked, answered, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    from gradparity import worker

    worker.pin_environment()
    os.environ.update(settings["environment"])
    with open(asked, "rb") as file:
        questions = pickle.load(file)
    with open(answered, "wb") as file:
        pickle.dump(answers(questions, settings), file)


if __name__ == "__main__":
    main()
