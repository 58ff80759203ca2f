"""The keys of a case file: their names, forms and meaning, and the JSON Schema of them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from gradparity.language import generation, keys
from gradparity.language.keys import (
    FLAG,
    NOT_NEGATIVE,
    SENTENCE,
    TEXT,
    Record,
    Schema,
    any_of,
    anything,
    key,
    list_of,
    named_records,
    one_of,
    record,
    records,
    shared,
    whole,
)
from gradparity.language.problems import CaseProblem
from gradparity.language.values import DTYPES, GENERATORS
from gradparity.language.yaml_source import Document
from gradparity.outcome import Stage

AGGREGATION_METHODS = ("DEFAULT", "ADD_N", "EXPERIMENTAL_TREE", "EXPERIMENTAL_ACCUMULATE_N")

# The forms of values with many forms, for editors. The modules that give these values their
# meaning check them.
_SCALARS: list[Schema] = [{"type": kind} for kind in ("number", "boolean", "string")]
_NULL: Schema = {"type": "null"}
_MATRIX_NAME: Schema = {"type": "string", "pattern": r"^\$"}
_EXPRESSION: Schema = {"type": ["string", "number", "boolean", "null"]}
_PROFILE: Schema = {"enum": ["tf1", "v2"]}


def _array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


_SUBSETS: Schema = {
    "type": "object",
    "properties": {"subsets": _array(_EXPRESSION, minItems=1)},
    "required": ["subsets"],
    "additionalProperties": False,
}
VALUE = anything(shared("Value"))
FEED = anything(any_of(shared("Value"), _NULL))
SHAPE = anything(
    any_of(
        _array(any_of({"type": "integer", "minimum": 0}, _NULL, _MATRIX_NAME)),
        {"const": "unknown"},
        _MATRIX_NAME,
    )
)
DTYPE = anything(any_of({"enum": list(DTYPES)}, _MATRIX_NAME))
EXPRESSIONS = anything(any_of(_EXPRESSION, _array(_EXPRESSION)))
CHOSEN = anything(any_of(_EXPRESSION, _array(_EXPRESSION), _SUBSETS))
WEIGHTS = anything(any_of(_array(shared("GradY")), shared("GradY")))
PLACEMENTS = anything(
    any_of({"enum": ["each", "subsets"]}, {"type": "string"}, _array({"type": "string"}), _SUBSETS)
)
PROFILES = anything(any_of(_PROFILE, _array(_PROFILE, minItems=1)))
MATRIX = anything({"type": "object", "additionalProperties": _array(_EXPRESSION, minItems=1)})
METHOD = anything({"type": ["string", "integer"]})


@dataclass(frozen=True, kw_only=True)
class InputModel(Record):
    """A tensor that the graph starts from: a variable, a placeholder or a constant."""

    variable: Any = field(
        default=None,
        metadata=key(
            VALUE, "tf.Variable with this initial value.", [1.0, 2.0], {"normal": [3], "seed": 1}
        ),
    )
    placeholder: Any = field(
        default=None,
        metadata=key(
            SHAPE,
            "tf.placeholder of this static shape: null is an unknown size, `unknown` an unknown "
            "rank. Needs `feed`.",
            [None, 3],
            "unknown",
        ),
    )
    constant: Any = field(
        default=None, metadata=key(VALUE, "tf.constant of this value.", [0.5, -0.0])
    )
    feed: Any = field(
        default=None,
        metadata=key(
            FEED, "What the placeholder is fed; null feeds nothing on purpose.", [[1, 2, 3]]
        ),
    )
    dtype: Any = field(
        default=None,
        metadata=key(
            DTYPE,
            "The dtype. By default float32 for numbers, bool for booleans, string for text.",
            "float64",
            "int32",
        ),
    )
    trainable: bool = field(
        default=True, metadata=key(FLAG, "Whether the variable is trainable.", False)
    )


@dataclass(frozen=True, kw_only=True)
class RaisesModel(Record):
    """An expected error, in full; its class alone is the short form."""

    shorthand: ClassVar[str] = "type"

    type: str = field(metadata=key(TEXT, "The class of the error.", "ValueError"))
    stage: Stage | None = field(
        default=None,
        metadata=key(
            one_of("build", "gradients", "run"),
            "Where it must arise: building the graph, the gradient call, or the run.",
        ),
    )
    match: str | None = field(
        default=None,
        metadata=key(
            TEXT,
            "A regular expression to be found in the message: short and stable.",
            "Length mism",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class ToleranceModel(Record):
    """Overrides of the judge's tolerance, for a stated reason."""

    why: str = field(metadata=key(SENTENCE, "Why the default is too strict here."))
    rtol: float | None = field(
        default=None, metadata=key(NOT_NEGATIVE, "Relative to each element.", 1e-5)
    )
    atol: float | None = field(default=None, metadata=key(NOT_NEGATIVE, "Absolute.", 1e-8))
    ulp: int | None = field(
        default=None, metadata=key(whole(0, 2**63), "In units in the last place.", 4)
    )


@dataclass(frozen=True, kw_only=True)
class TruthModel(Record):
    """Declares that TensorFlow's answer is not the derivative, and why; a text is a defect."""

    shorthand: ClassVar[str] = "defect"

    defect: str | None = field(
        default=None,
        metadata=key(SENTENCE, "What TensorFlow gets wrong.", "It skips what follows a zero."),
    )
    convention: str | None = field(
        default=None,
        metadata=key(SENTENCE, "Why it means something other than the derivative."),
    )
    values: list[Any] | None = field(
        default=None,
        metadata=key(list_of(shared("Expected")), "The derivative for each x.", [[1, 28, 6]]),
    )
    some: bool = field(
        default=False,
        metadata=key(FLAG, "Whether it is so in some of the query's checks only."),
    )


@dataclass(frozen=True, kw_only=True)
class QueryModel(Record):
    """One call of tf.gradients (or tf.hessians) on the graph, and what is expected of it."""

    ys: Any = field(
        metadata=key(
            EXPRESSIONS,
            "What is differentiated: names of the graph or expressions over them.",
            "z",
            ["z1", "2 * z2"],
        )
    )
    xs: Any = field(
        metadata=key(
            CHOSEN,
            "With respect to what; {subsets: [w1, w2]} asks for each combination.",
            ["w1", "w2"],
            {"subsets": ["w1", "w2"]},
        )
    )
    grad_ys: Any = field(
        default=None,
        metadata=key(
            WEIGHTS,
            "One weight for each y: a value of the y's own dtype, null for ones, an expression, or "
            "{value: …, dtype: …} to send another dtype.",
            [[2, 2, 3]],
            [None, "2 * z"],
        ),
    )
    stop_gradients: Any = field(
        default=None,
        metadata=key(
            CHOSEN,
            "The argument of tf.gradients: tensors through which nothing flows; "
            "{subsets: [w1, z]} asks with each combination.",
            ["w1"],
            {"subsets": ["w1", "z"]},
        ),
    )
    stop_gradient_at: Any = field(
        default=None,
        metadata=key(
            PLACEMENTS,
            "Where tf.stop_gradient is put into the graph: `z1` stops all its consumers, "
            "`z1 -> z2` one edge; `each` gives a variant for each tensor, `subsets` one for each "
            "combination, {subsets: [z1, z2]} one for each combination of these.",
            ["z1"],
            ["z1 -> z2"],
            "each",
        ),
    )
    unconnected_gradients: str | None = field(
        default=None,
        metadata=key(
            TEXT, "What tf.gradients gives for an x that y does not depend on.", "none", "zero"
        ),
    )
    gate_gradients: bool | None = field(
        default=None, metadata=key(FLAG, "The argument of tf.gradients.")
    )
    aggregation_method: Any = field(
        default=None,
        metadata=key(
            METHOD, "A member of tf.AggregationMethod, or a number.", *AGGREGATION_METHODS
        ),
    )
    name: str | None = field(
        default=None, metadata=key(TEXT, "The name scope of the gradient ops.")
    )
    colocate_gradients_with_ops: bool | None = field(
        default=None, metadata=key(FLAG, "The argument of tf.gradients.")
    )
    expect: list[Any] | None = field(
        default=None,
        metadata=key(
            list_of(shared("Expected")),
            "The documented value for each x; null: no gradient; {values, indices, dense_shape}: "
            "IndexedSlices. Checked against both sides.",
            [[2, 2, 2]],
        ),
    )
    raises: RaisesModel | None = field(
        default=None,
        metadata=key(record(RaisesModel), "The error that both sides must raise.", "ValueError"),
    )
    may_raise: list[Any] | None = field(
        default=None,
        metadata=key(
            list_of({"type": "string"}),
            "Errors that TensorFlow may answer with in some checks of a matrix; the "
            "implementation must do as it does in each.",
            ["TypeError", "ValueError"],
        ),
    )
    id: str | None = field(
        default=None,
        metadata=key(
            TEXT, "A readable name; by default it is made of ys and xs.", "through-the-op"
        ),
    )
    intent: str | None = field(
        default=None,
        metadata=key(
            one_of("zero", "ones", "pass_through"),
            "Declares that a trivial gradient is meant: zeros, ones, or grad_ys handed on.",
        ),
    )
    truth: TruthModel | None = field(
        default=None,
        metadata=key(
            record(TruthModel),
            "TensorFlow's answer is not the derivative: what it gets wrong, or a mapping.",
            "It skips what follows a zero.",
        ),
    )
    call: str = field(
        default="gradients",
        metadata=key(one_of("gradients", "hessians"), "Which function is asked."),
    )
    order: int = field(default=1, metadata=key(whole(1, 6), "How many times is differentiated.", 2))
    tolerance: ToleranceModel | None = field(
        default=None, metadata=key(record(ToleranceModel), "Overrides the file's tolerance.")
    )


@dataclass(frozen=True, kw_only=True)
class CaseModel(Record):
    """A case: one graph and the gradient queries asked of it."""

    about: str = field(metadata=key(SENTENCE, "The behaviour that this case shows, one sentence."))
    source: str = field(
        default="",
        metadata=key(TEXT, "Where the behaviour comes from.", "TensorFlow API, tf.gradients"),
    )
    inputs: Mapping[str, InputModel] | None = field(
        default=None,
        metadata=key(
            named_records(InputModel),
            "The tensors that the graph starts from, by name.",
            {"w": {"variable": [1, 2]}},
        ),
    )
    graph: str = field(
        default="",
        metadata=key(
            TEXT, "TensorFlow code over the inputs; `tf` and `np` are there.", "z = tf.square(w)\n"
        ),
    )
    gradients: list[QueryModel] = field(metadata=key(records(QueryModel), "The queries."))
    generate: Any = field(
        default=None,
        metadata=key(
            anything(generation.schema()),
            "Writes inputs, graph and gradients by a seeded generator, for many cases at once.",
            {"random_graphs": 40, "seed": 1},
        ),
    )
    profile: Any = field(
        default="tf1",
        metadata=key(
            PROFILES,
            "tf1: tf.disable_v2_behavior(); v2: TensorFlow 2's flags; or a list of both.",
            ["tf1", "v2"],
        ),
    )
    matrix: Any = field(
        default=None,
        metadata=key(
            MATRIX,
            "Multiplies the file: each `$name` stands for each of its values in turn.",
            {"dtype": ["float32", "float64"]},
        ),
    )
    tolerance: ToleranceModel | None = field(
        default=None, metadata=key(record(ToleranceModel), "Overrides the judge's tolerance.")
    )
    truth: TruthModel | None = field(
        default=None, metadata=key(record(TruthModel), "The `truth` of queries without their own.")
    )


def validate(document: Document) -> tuple[CaseModel | None, list[CaseProblem]]:
    """The document as a model, or None and what keeps it from being one."""
    if not isinstance(document.data, dict):
        message = "a case is a mapping of keys, beginning with `about`"
        return None, [document.problem((), message)]
    return keys.read(CaseModel, document)


def json_schema() -> Schema:
    """The JSON Schema of a case file, as it is published in `schemas/case.schema.json`."""
    case = keys.json_schema(CaseModel)
    case["required"].remove("gradients")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gradparity case",
        **case,
        **any_of({"required": ["gradients"]}, {"required": ["generate"]}),
        "$defs": {
            **keys.definitions([InputModel, QueryModel, RaisesModel, ToleranceModel, TruthModel]),
            **_definitions(),
        },
    }


def _definitions() -> dict[str, Schema]:
    generators = (_generator(name) for name in GENERATORS)
    weight = _object({"value": shared("Value"), "dtype": {"enum": list(DTYPES)}})
    slices = _object({name: {"type": "array"} for name in ("values", "indices")})
    slices["properties"]["dense_shape"] = {"type": "array"}
    return {
        "Value": {
            "description": "A number, boolean or text, nested lists of them, or a generator.",
            **any_of(*_SCALARS, _array(shared("Value")), *generators),
        },
        "GradY": any_of(_NULL, shared("Value"), weight),
        "Expected": any_of(_NULL, *_SCALARS, {"type": "array"}, slices),
    }


def _object(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _generator(name: str) -> Schema:
    generator = GENERATORS[name]
    return {
        "type": "object",
        "description": generator.usage,
        "properties": {name: {}, **{other: {} for other in generator.keys}},
        "required": [name, *generator.required],
        "additionalProperties": False,
    }
