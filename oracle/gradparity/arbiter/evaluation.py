"""The conversation with an evaluator: a process that runs forward programs at other inputs."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from gradparity.outcome import decode_array
from gradparity.program import Profile, Program
from gradparity.worker import encode_array
from gradparity.workers import START_LIMIT

if TYPE_CHECKING:
    import numpy as np

    Stacked: TypeAlias = np.ndarray[Any, Any]  # [points, ...]

SCRIPT = Path(__file__).with_name("evaluator.py")
ANSWER_LIMIT = 60.0  # seconds for one reply
FLOATING = ("float64", "float32", "float16", "bfloat16")
COMPLEX = ("complex64", "complex128")


class Undecidable(Exception):
    """The arbiter has no opinion; the message says why."""


class EvaluationFailed(Exception):
    """TensorFlow could not evaluate the program so, for example in another precision."""


@dataclass(frozen=True)
class Tensor:
    """A tensor of a program, by name.

    Attributes:
      dtype: as the program has it.
      needs: the stand-ins (outputs of inner gradient calls) that it is computed from.
      variable: whether it is the value of a variable, which is no operation's result.
    """

    name: str
    dtype: str
    needs: tuple[str, ...] = ()
    variable: bool = False


@dataclass(frozen=True)
class Call:
    """A gradient call of a program. `kind` is "gradients", or "jacobian" for a Hessian's part.

    Attributes:
      outputs: what stands in for its results; None for an x that is no number.
    """

    kind: str
    outputs: tuple[str | None, ...]
    ys: tuple[Tensor, ...]
    xs: tuple[Tensor, ...]
    grad_ys: tuple[Tensor | None, ...]
    stop_gradients: tuple[Tensor, ...]


@dataclass(frozen=True)
class Description:
    """What an evaluator says of a program that it has built.

    Attributes:
      calls: its gradient calls, in the order in which they are made.
      judged: for each gradient of the check its call and position; None for none.
      stops: what `tf.stop_gradient` gives, wherever the ys depend on it.
      op_types: the types of the operations that the ys are computed by.
      dtypes: of the tensors that the ys are computed by.
      conjugates: whether a matrix product has adjoint operands.
    """

    calls: tuple[Call, ...]
    judged: tuple[tuple[int, int] | None, ...]
    stops: tuple[Tensor, ...]
    op_types: frozenset[str]
    dtypes: frozenset[str]
    conjugates: bool

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Description:
        """Decodes an evaluator's reply."""
        return cls(
            calls=tuple(
                Call(
                    kind=call["kind"],
                    outputs=tuple(call["outputs"]),
                    ys=tuple(map(_tensor, call["ys"])),
                    xs=tuple(map(_tensor, call["xs"])),
                    grad_ys=tuple(s and _tensor(s) for s in call["grad_ys"]),
                    stop_gradients=tuple(map(_tensor, call["stop_gradients"])),
                )
                for call in data["calls"]
            ),
            judged=tuple(j and (j[0], j[1]) for j in data["judged"]),
            stops=tuple(map(_tensor, data["stops"])),
            op_types=frozenset(data["op_types"]),
            dtypes=frozenset(data["dtypes"]),
            conjugates=data["conjugates"],
        )


def _tensor(data: Mapping[str, Any]) -> Tensor:
    return Tensor(data["name"], data["dtype"], tuple(data["needs"]), data["variable"])


class Evaluating(Protocol):
    """Whoever can evaluate programs: a process, or a function in a test."""

    def open(self, program: Program) -> Description:
        """Builds a program; what follows is about it.

        Raises:
          Undecidable: it has no derivative that differencing could find.
        """

    def evaluate(
        self, precision: str, fetches: Sequence[str], feeds: Mapping[str, Stacked]
    ) -> list[Stacked]:
        """The values of tensors, with others fed, at several points at once.

        Raises:
          EvaluationFailed: TensorFlow raises an error.
          Undecidable: there is no answer.
        """


class EvaluatorProcess:
    """An evaluator in a process of its own, which is started when first asked.

    Args:
      namespace: the module that wears `tensorflow.compat.v1`'s API; TensorFlow itself.
      profile: the flags under which it runs.
      python: the interpreter.
      paths: folders put before the interpreter's own module search path.
      memory_limit: bytes that programs may take, None for no limit.
    """

    def __init__(
        self,
        namespace: str,
        profile: Profile,
        python: str = sys.executable,
        paths: Sequence[str] = (),
        memory_limit: int | None = None,
    ) -> None:
        self._command = [python, str(SCRIPT), "--namespace", namespace, "--profile", profile]
        for path in paths:
            self._command += ["--path", path]
        if memory_limit is not None:
            self._command += ["--memory-limit", str(memory_limit)]
        self._process: subprocess.Popen[str] | None = None
        self._startable = True
        self._replies: queue.SimpleQueue[str] = queue.SimpleQueue()

    def open(self, program: Program) -> Description:
        """See `Evaluating.open`."""
        source = {"build": program.build, "gradients": program.gradients}
        reply = self._asked({"open": source})
        if "unjudgeable" in reply:
            raise Undecidable(reply["unjudgeable"])
        return Description.from_json(reply["opened"])

    def evaluate(
        self, precision: str, fetches: Sequence[str], feeds: Mapping[str, Stacked]
    ) -> list[Stacked]:
        """See `Evaluating.evaluate`."""
        encoded = {name: encode_array(values) for name, values in feeds.items()}
        question = {"precision": precision, "fetches": list(fetches), "feeds": encoded}
        reply = self._asked({"evaluate": question})
        if "failed" in reply:
            raise EvaluationFailed(reply["failed"])
        return [decode_array(value) for value in reply["values"]]

    def close(self) -> None:
        """Ends the process; a later question starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> EvaluatorProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _asked(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to one request.

        Raises:
          Undecidable: the process died or did not answer in time; it is gone.
        """
        if not self._startable:
            raise Undecidable("its evaluator does not start")
        try:
            process = self._running()
            assert process.stdin is not None
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            reply = json.loads(self._replies.get(timeout=ANSWER_LIMIT))
        except queue.Empty:
            self.close()
            raise Undecidable(f"its evaluator did not answer within {ANSWER_LIMIT:g} s") from None
        except (OSError, ValueError) as error:
            self.close()
            raise Undecidable(f"its evaluator ended ({type(error).__name__})") from None
        assert isinstance(reply, dict)
        return reply

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            # As with workers: Ctrl-C reaches this process alone, which then ends its children.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
            self._replies = queue.SimpleQueue()
            threading.Thread(
                target=_move_lines, args=(self._process, self._replies), daemon=True
            ).start()
            with contextlib.suppress(queue.Empty):
                if self._replies.get(timeout=START_LIMIT):
                    return self._process
            self._startable = False
            raise OSError("the evaluator does not start")
        return self._process


def _move_lines(process: subprocess.Popen[str], replies: queue.SimpleQueue[str]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            replies.put(line)
    replies.put("")  # no JSON: the end
