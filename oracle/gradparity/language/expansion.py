"""From a case file, valid in form, to its checks: queries × placements × matrix × profiles."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from gradparity.language import placement, subsets
from gradparity.language.allow_list import unusable_name
from gradparity.language.check import Case, Check, ExpectedError, Tolerance, Truth
from gradparity.language.code import Code, CodeProblem
from gradparity.language.matrix import Entry, spelled
from gradparity.language.model import (
    AGGREGATION_METHODS,
    CaseModel,
    InputModel,
    QueryModel,
    ToleranceModel,
    TruthModel,
)
from gradparity.language.problems import CaseProblem, nearest
from gradparity.language.sandbox import Sandbox
from gradparity.language.values import (
    MAX_ELEMENTS,
    BadValue,
    Value,
    check_dtype,
    default_dtype,
    render,
    too_large,
)
from gradparity.language.yaml_source import DataPath
from gradparity.program import Profile, Program

MAX_CHECKS = 10_000  # of one file
LINE_LENGTH = 88  # longer calls are written with one argument on a line

_HESSIANS_TAKES = ("name", "colocate_gradients_with_ops", "gate_gradients", "aggregation_method")
_ERRORS = (
    *(name for name in vars(builtins) if name.endswith("Error")),
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OperatorNotAllowedInGraphError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnliftableError",
    "UnimplementedError",
    "UnknownError",
)


@dataclass
class _Input:
    """An input as source: the line that makes it, and what it is fed."""

    name: str
    source: str
    line: int
    feed: Value | None = None
    elements: int = 0


@dataclass
class Analysis:
    """What was found out about a graph: matrix entries that leave it as it is share one."""

    sandbox: Sandbox
    problems: tuple[CodeProblem, ...]
    placing: placement.Placement

    @classmethod
    def of(cls, inputs: tuple[str, ...], graph: str) -> Analysis:
        """Analyses the text of a graph over these inputs."""
        sandbox = Sandbox(inputs)
        problems = sandbox.check_graph(graph)
        return cls(sandbox, problems, placement.Placement(inputs, sandbox.graph))


@dataclass
class Expansion:
    """Expands one matrix entry of a file; collects every problem that it meets.

    Attributes:
      case: the file.
      model: its content, with the entry's values put in.
      entry: the entry.
      analyses: the analyses of the file's graphs so far, by inputs and text.
    """

    case: Case
    model: CaseModel
    entry: Entry
    analyses: dict[tuple[tuple[str, ...], str], Analysis]
    problems: list[CaseProblem] = field(default_factory=list)

    @property
    def inputs(self) -> Mapping[str, InputModel]:
        """The inputs by name."""
        return self.model.inputs or {}

    def checks(self) -> list[Check]:
        """The checks of this entry; without meaning when there are problems."""
        profiles = self._profiles()
        inputs = [i for name in self.inputs for i in self._input(name)]
        self._check_total(inputs)
        analysis = self._analysis()
        for problem in analysis.problems:
            self.problem(("graph",), problem.message, problem.hint, offset=problem.offset)
        self._tolerance(self.model.tolerance, ("tolerance",))
        graph = _Graph(self, inputs, analysis.sandbox, analysis.placing)
        made: list[Check] = []
        for i, query in enumerate(self.model.gradients):
            made += self._query(graph, query, ("gradients", i), profiles)
            if len(made) > MAX_CHECKS:
                self.problem(("gradients", i), f"the file makes more than {MAX_CHECKS:,} checks")
                break
        return made

    def _query(
        self, graph: _Graph, query: QueryModel, path: DataPath, profiles: Sequence[Profile]
    ) -> list[Check]:
        """The checks of a query, of each of its choices when it has `subsets`."""
        try:
            whole, *others = subsets.choices(query)
        except subsets.SubsetsError as error:
            self.problem((*path, *error.path), error.message, error.hint)
            return []
        before = len(self.problems)
        made = _Query(self, graph, whole.query, path, whole.label).checks(profiles)
        if len(self.problems) > before:
            return []  # the other choices would say the same again
        parts = [_Query(self, graph, other.query, path, other.label) for other in others]
        return [check for part in parts for check in part.checks(profiles)] + made

    def problem(self, path: DataPath, message: str, hint: str = "", **place: Any) -> None:
        """Notes a problem at a place of the file."""
        self.problems.append(self.entry.document.problem(path, message, hint, **place))

    def _analysis(self) -> Analysis:
        key = (tuple(self.inputs), self.model.graph)
        if key not in self.analyses:
            self.analyses[key] = Analysis.of(*key)
        return self.analyses[key]

    def _bad_value(self, error: BadValue) -> None:
        self.problem(error.path, error.message, error.hint)

    def _profiles(self) -> list[Profile]:
        asked = self.model.profile
        known = get_args(Profile)
        names = asked if isinstance(asked, list) else [asked]
        found: list[Profile] = []
        for i, name in enumerate(names):
            path: DataPath = ("profile", i) if isinstance(asked, list) else ("profile",)
            if name not in known:
                hint = nearest(str(name), known) or f"there are: {', '.join(known)}"
                self.problem(path, f"{name!r} is not a profile", hint)
            elif name in found:
                self.problem(path, f"{name!r} stands here twice")
            else:
                found.append(name)
        if not names:
            self.problem(("profile",), "'profile' must not be empty")
        return found

    # Inputs

    def _input(self, name: str) -> Iterator[_Input]:
        path: DataPath = ("inputs", name)
        reason = unusable_name(name)
        if not reason and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            reason = f"{name!r} is not a name that TensorFlow takes"
        if reason:
            self.problem(path, reason, "begin with a letter; letters, digits and _", key=True)
            return
        given = self.inputs[name]
        kinds = [k for k in ("variable", "placeholder", "constant") if k in given.given]
        if len(kinds) != 1:
            what = " and ".join(kinds) if kinds else "none"
            message = f"an input is one of variable, placeholder and constant; {name!r} is {what}"
            self.problem(path, message, key=not kinds)
            return
        try:
            if "dtype" in given.given:
                check_dtype(given.dtype, (*path, "dtype"))
            kind = kinds[0]
            for key, owner in (("feed", "placeholder"), ("trainable", "variable")):
                if key in given.given and kind != owner:
                    raise BadValue((*path, key), f"{key!r} belongs to a {owner}, not a {kind}")
            line = self.entry.document.line_of(path)
            if kind == "placeholder":
                yield self._placeholder(name, given, path, line)
            else:
                yield self._valued(name, given, kind, path, line)
        except BadValue as error:
            self._bad_value(error)

    def _valued(self, name: str, given: InputModel, kind: str, path: DataPath, line: int) -> _Input:
        data = getattr(given, kind)
        dtype = given.dtype or default_dtype(data)
        value = render(data, dtype, (*path, kind))
        call = "tf.Variable" if kind == "variable" else "tf.constant"
        arguments = [value.source, f"dtype=tf.{dtype}", f"name={name!r}"]
        if not given.trainable:
            arguments.append("trainable=False")
        return _Input(
            name, f"{name} = {call}({', '.join(arguments)})", line, elements=value.elements
        )

    def _placeholder(self, name: str, given: InputModel, path: DataPath, line: int) -> _Input:
        shape = self._static_shape(given.placeholder, (*path, "placeholder"))
        if "feed" not in given.given:
            raise BadValue(
                path,
                f"the placeholder {name!r} needs `feed`",
                "the value that it is fed, or null to feed nothing on purpose",
            )
        fed = given.feed is not None
        dtype = given.dtype or (default_dtype(given.feed) if fed else "float32")
        feed = render(given.feed, dtype, (*path, "feed")) if fed else None
        if feed is not None and shape is not None and not _fits(feed.shape, shape):
            raise BadValue(
                (*path, "feed"),
                f"a value of shape {list(feed.shape)} does not fit the placeholder's "
                f"shape {_shape_source(shape)}",
            )
        where = "" if shape is None else f", {_shape_source(shape)}"
        source = f"{name} = tf.placeholder(tf.{dtype}{where}, name={name!r})"
        return _Input(name, source, line, feed, 0 if feed is None else feed.elements)

    @staticmethod
    def _static_shape(data: Any, path: DataPath) -> list[int | None] | None:
        if data == "unknown":
            return None
        if not isinstance(data, list):
            hint = "for example [null, 3], [] for a scalar, or `unknown` for an unknown rank"
            raise BadValue(path, "a placeholder wants its static shape", hint)
        for i, size in enumerate(data):
            whole = isinstance(size, int) and not isinstance(size, bool)
            if size is not None and (not whole or size < 0):
                raise BadValue((*path, i), f"{size!r} is not a size", "a whole number or null")
        return data

    def _check_total(self, inputs: Iterable[_Input]) -> None:
        total = sum(each.elements for each in inputs)
        if total > MAX_ELEMENTS:
            error = too_large(("inputs",), total)
            self.problem(error.path, error.message, "all inputs together", key=True)

    def _tolerance(self, given: ToleranceModel | None, path: DataPath) -> Tolerance | None:
        if given is None:
            return None
        if given.rtol is None and given.atol is None and given.ulp is None:
            self.problem(path, "a tolerance without a number", "give rtol, atol or ulp", key=True)
        return Tolerance(given.why, given.rtol, given.atol, given.ulp)


def _fits(shape: Sequence[int], static: Sequence[int | None]) -> bool:
    return len(shape) == len(static) and all(
        size in (None, actual) for size, actual in zip(static, shape, strict=True)
    )


def _shape_source(shape: Sequence[int | None]) -> str:
    return f"[{', '.join(map(str, shape))}]"


@dataclass
class _Graph:
    """What the queries of a file share: its inputs, its code, and what can be stopped."""

    expansion: Expansion
    inputs: list[_Input]
    sandbox: Sandbox
    placing: placement.Placement

    def build(
        self, stops: Sequence[placement.Stop], names: dict[str, str], query: _Query
    ) -> tuple[str, int, tuple[int, ...]]:
        """The source of the build stage, how many lines precede the graph, and their origins.

        The third has, for each line of the source, the line of the case file it comes from.
        """
        document = self.expansion.entry.document
        woven = self.placing.weave(stops, names)
        lines = [each.source for each in self.inputs] + list(woven.before)
        origins = [each.line for each in self.inputs]
        origins += [each.line for each in self.inputs if each.name in names]
        offset = len(lines)
        graph = [*woven.lines]
        while graph and not graph[-1].strip():
            graph.pop()
        lines += graph
        origins += [self._graph_line(number) for number in woven.origins[: len(graph)]]
        ys = [placement.expression(y, stops, names) for y in query.ys]
        lines += [f"ys = [{', '.join(ys)}]", f"xs = [{', '.join(x.text for x in query.xs)}]"]
        origins += [document.line_of((*query.path, key)) for key in ("ys", "xs")]
        lines.append(self._feeds())
        origins.append(document.line_of(query.path))
        return "\n".join(lines) + "\n", offset, tuple(origins)

    def _feeds(self) -> str:
        items = [f"{each.name}: {each.feed.source}" for each in self.inputs if each.feed]
        return f"feeds = {{{', '.join(items)}}}"

    def _graph_line(self, number: int) -> int:
        code = self.sandbox.graph
        assert code is not None
        return self.expansion.entry.document.line_of(("graph",), code.starts[number - 1])


@dataclass
class _Query:
    """One query of a file; `choice` tells its id from those of the other subsets."""

    expansion: Expansion
    graph: _Graph
    model: QueryModel
    path: DataPath
    choice: str = ""
    ys: list[Code] = field(default_factory=list)
    xs: list[Code] = field(default_factory=list)

    def checks(self, profiles: Sequence[Profile]) -> list[Check]:
        """One check for each placement and profile."""
        before = len(self.expansion.problems)
        self.ys = self._expressions("ys", self.model.ys)
        self.xs = self._expressions("xs", self.model.xs)
        self._check_keys()
        call = self._gradients()
        raises, may_raise = self._raises(), self._may_raise()
        tolerance = self.expansion._tolerance(self.model.tolerance, (*self.path, "tolerance"))
        tolerance = tolerance or self.expansion._tolerance(self.expansion.model.tolerance, ())
        truth = self._truth()
        variants = self._variants()
        if len(self.expansion.problems) > before or self.graph.sandbox.graph is None:
            return []
        position = self.expansion.entry.document.position(self.path)
        ys, xs = tuple(y.text for y in self.ys), tuple(x.text for x in self.xs)
        expect = None if self.model.expect is None else tuple(self.model.expect)
        label = self._label()
        made = []
        for stops in variants:
            names = self.graph.placing.names(stops, self.ys)
            build, offset, origins = self.graph.build(stops, names, self)
            stopped = tuple(map(str, stops))
            for profile in profiles:
                made.append(
                    Check(
                        id=self._id(label, stopped, profile),
                        case=self.expansion.case,
                        position=position,
                        program=Program(profile, build, call),
                        ys=ys,
                        xs=xs,
                        stopped=stopped,
                        expect=expect,
                        raises=raises,
                        may_raise=may_raise,
                        tolerance=tolerance,
                        intent=self.model.intent,
                        truth=truth,
                        weights=self._weights(),
                        build_offset=offset,
                        build_lines=origins,
                    )
                )
        return made

    def _problem(self, name: str, message: str, hint: str = "", *, key: bool = False) -> None:
        self.expansion.problem((*self.path, name), message, hint, key=key)

    # Expressions

    def _expressions(self, key: str, given: Any) -> list[Code]:
        """A key that holds one expression or a list of them."""
        if isinstance(given, list):
            return [
                code
                for i, item in enumerate(given)
                for code in self._expression((*self._list_at(key), i), item)
            ]
        return list(self._expression((*self.path, key), given))

    def _list_at(self, key: str) -> DataPath:
        """Where the list of a key stands: the key's value, or the `subsets` in it."""
        path: DataPath = (*self.path, key)
        of_subsets: DataPath = (*path, "subsets")
        return of_subsets if of_subsets in self.expansion.entry.document.places else path

    def _expression(self, path: DataPath, given: Any) -> Iterator[Code]:
        if isinstance(given, list | dict):
            self.expansion.problem(
                path, "an expression is text", 'code with brackets wants quotes: "[a, b]"'
            )
            return
        written = given if isinstance(given, str) else spelled(given)
        text = written.strip()
        code, problems = self.graph.sandbox.check_expression(text)
        skipped = len(written) - len(written.lstrip())
        for problem in problems:
            offset = problem.offset + skipped
            self.expansion.problem(path, problem.message, problem.hint, offset=offset)
        if code is None or problems:
            return
        if isinstance(code.body, ast.Tuple) and not text.startswith("("):
            self.expansion.problem(path, "several expressions in one", f"write a list: [{text}]")
        elif "\n" in text or "#" in text:
            self.expansion.problem(path, "an expression is one line, without a comment")
        else:
            yield code

    # The gradient call

    def _check_keys(self) -> None:
        given = self.model.given
        if self.model.call == "hessians":
            for key in ("grad_ys", "stop_gradients", "unconnected_gradients", "order"):
                if key in given:
                    self._problem(key, f"tf.hessians takes no {key!r}", key=True)
        if self.model.expect is not None:
            self._check_expect(self.model.expect)
        if self.model.expect is not None and self.model.raises is not None:
            self._problem("raises", "a query has `expect` or `raises`, not both", key=True)
        identifier = self.model.id
        if identifier is not None and not re.fullmatch(r"[A-Za-z0-9][\w.-]*", identifier):
            self._problem("id", f"{identifier!r} is not an id", "letters, digits, '-', '_', '.'")
        method = self.model.aggregation_method
        is_number = isinstance(method, int) and not isinstance(method, bool)
        if "aggregation_method" in given and not is_number and method not in AGGREGATION_METHODS:
            known = AGGREGATION_METHODS
            hint = nearest(str(method), known) or f"there are: {', '.join(known)}, or a number"
            self._problem("aggregation_method", f"{method!r} is no aggregation method", hint)

    def _check_expect(self, expect: Sequence[Any]) -> None:
        count = len(self.model.xs) if isinstance(self.model.xs, list) else 1
        if len(expect) != count:
            self._problem(
                "expect",
                f"{len(expect)} expected values for {count} xs",
                "one entry for each x; null where there is no gradient",
            )
        for i, item in enumerate(expect):
            path: DataPath = (*self.path, "expect", i)
            parts = [(path, item)]
            if isinstance(item, dict):
                known = ("values", "indices", "dense_shape")
                for key in item:
                    if key not in known:
                        hint = nearest(key, known) or f"there are: {', '.join(known)}"
                        self.expansion.problem((*path, key), f"unknown key {key!r}", hint, key=True)
                for key in known[:2]:
                    if key not in item:
                        self.expansion.problem(path, f"IndexedSlices without {key!r}")
                parts = [((*path, key), value) for key, value in item.items()]
            for where, value in parts:
                if value is None or isinstance(value, dict):
                    continue
                try:
                    render(value, None, where)
                except BadValue as error:
                    self.expansion._bad_value(error)

    def _gradients(self) -> str:
        """The source of the gradients stage."""
        model, given = self.model, self.model.given
        arguments: list[str] = []
        if "grad_ys" in given:
            arguments.append(f"grad_ys={self._grad_ys(model.grad_ys)}")
        stopping: list[str] = []
        if "stop_gradients" in given:
            stopped = self._expressions("stop_gradients", model.stop_gradients)
            stopping.append(f"stop_gradients=[{', '.join(code.text for code in stopped)}]")
        if model.unconnected_gradients is not None:
            name = model.unconnected_gradients
            known = {"none": "NONE", "zero": "ZERO"}.get(name)
            source = f"tf.UnconnectedGradients.{known}" if known else repr(name)
            stopping.append(f"unconnected_gradients={source}")
        arguments += stopping
        for key in ("gate_gradients", "colocate_gradients_with_ops", "name"):
            if key in given:
                arguments.append(f"{key}={getattr(model, key)!r}")
        if "aggregation_method" in given:
            method = model.aggregation_method
            named = isinstance(method, str)
            arguments.append(
                f"aggregation_method={f'tf.AggregationMethod.{method}' if named else method}"
            )
        lines = [_call(f"gradients = tf.{model.call}", ["ys", "xs", *arguments])]
        again = "[tf.convert_to_tensor(g) for g in gradients if g is not None]"
        lines += [_call("gradients = tf.gradients", [again, "xs", *stopping])] * (model.order - 1)
        return "\n".join(lines) + "\n"

    def _grad_ys(self, given: Any) -> str:
        if given is None:
            return "None"
        entries = given if isinstance(given, list) else [given]
        paths: list[DataPath] = (
            [(*self.path, "grad_ys", i) for i in range(len(entries))]
            if isinstance(given, list)
            else [(*self.path, "grad_ys")]
        )
        sources = [
            self._grad_y(i, *pair) for i, pair in enumerate(zip(entries, paths, strict=True))
        ]
        return f"[{', '.join(sources)}]"

    def _weights(self) -> tuple[str | None, ...] | None:
        """See `Check.weights`; of a query without problems."""
        if self.model.call == "hessians" or self.model.order > 1:
            return None
        given = self.model.grad_ys
        if given is None:
            return ("",) * len(self.ys)
        return tuple(map(_weight, given if isinstance(given, list) else [given]))

    def _grad_y(self, index: int, given: Any, path: DataPath) -> str:
        if given is None:
            return "None"
        if isinstance(given, str):
            return next((code.text for code in self._expression(path, given)), "None")
        # A weight too many has no y to take its dtype from; TensorFlow refuses it by count.
        own = f"ys[{index}].dtype.base_dtype" if index < len(self.ys) else "tf.float32"
        try:
            if isinstance(given, dict) and "value" in given and "full" not in given:
                return self._grad_y_of_dtype(given, path)
            return f"tf.constant({render(given, None, path).source}, dtype={own})"
        except BadValue as error:
            self.expansion._bad_value(error)
            return "None"

    def _grad_y_of_dtype(self, given: dict[str, Any], path: DataPath) -> str:
        for key in given:
            if key not in ("value", "dtype"):
                hint = nearest(key, ("value", "dtype"))
                raise BadValue((*path, key), f"unknown key {key!r}", hint)
        if "dtype" not in given:
            raise BadValue(path, "`value` without `dtype`", "write the value alone, or add dtype")
        dtype = check_dtype(given["dtype"], (*path, "dtype"))
        source = render(given["value"], dtype, (*path, "value")).source
        return f"tf.constant({source}, dtype=tf.{dtype})"

    def _raises(self) -> ExpectedError | None:
        given = self.model.raises
        if given is None:
            return None
        path: DataPath = (*self.path, "raises")
        data = self.expansion.entry.document.places
        type_path = (*path, "type") if (*path, "type") in data else path
        self._check_error(given.type, type_path)
        if given.match is not None:
            try:
                re.compile(given.match)
            except re.error as error:
                self.expansion.problem(
                    (*path, "match"), f"not a regular expression: {error}", offset=error.pos or 0
                )
        return ExpectedError(given.type, given.stage, given.match)

    def _truth(self) -> Truth | None:
        model: TruthModel | None = self.model.truth
        path: DataPath = (*self.path, "truth")
        if model is None:
            model, path = self.expansion.model.truth, ("truth",)
        if model is None:
            return None
        if (model.defect is None) is (model.convention is None):
            message = "`truth` has one of `defect` and `convention`"
            self.expansion.problem(path, message, "why TensorFlow's answer is not the derivative")
        if model.values is not None and path[0] == "truth":
            message = "the derivative belongs to a query"
            self.expansion.problem((*path, "values"), message, key=True)
        kind = "defect" if model.convention is None else "convention"
        why = str(model.convention or model.defect)
        return Truth(kind, why, model.values, model.some)

    def _may_raise(self) -> tuple[str, ...]:
        given = self.model.may_raise
        if given is None:
            return ()
        for key in ("raises", "expect"):
            if key in self.model.given:
                message = f"a query has `{key}` or `may_raise`, not both"
                self._problem("may_raise", message, key=True)
        for i, name in enumerate(given):
            path: DataPath = (*self.path, "may_raise", i)
            if isinstance(name, str):
                self._check_error(name, path)
            else:
                self.expansion.problem(path, "the class of an error is text")
        if not given:
            self._problem("may_raise", "'may_raise' must not be empty")
        return tuple(map(str, given))

    def _check_error(self, name: str, path: DataPath) -> None:
        """Notes a problem when `name` cannot be, or hardly is, the class of an error."""
        if name in _ERRORS or name.startswith("_"):
            return
        near = nearest(name, _ERRORS)
        if not name.isidentifier():
            self.expansion.problem(path, f"{name!r} is not the name of an error", near)
        elif near:  # a class of somebody's own is none of our business
            self.expansion.problem(path, f"unknown error {name!r}", near)

    # Placements and names

    def _variants(self) -> list[tuple[placement.Stop, ...]]:
        asked = self.model.stop_gradient_at
        if asked is None:
            return [()]
        path: DataPath = (*self.path, "stop_gradient_at")
        items = asked if isinstance(asked, list) else [asked]
        if not all(isinstance(item, str) for item in items):
            self.expansion.problem(path, "a placement is text", "`z1`, `z1 -> z2`, each, subsets")
            return []
        if self.graph.sandbox.graph is None:
            return []
        if isinstance(asked, list):
            found = len(self.expansion.problems)
            for i, item in enumerate(asked):
                try:
                    self.graph.placing.parse(item, self.ys)
                except placement.PlacementError as error:
                    at: DataPath = (*self._list_at("stop_gradient_at"), i)
                    self.expansion.problem(at, error.message, error.hint)
            if len(self.expansion.problems) > found:
                return []
        try:
            return self.graph.placing.variants(asked, self.ys)
        except placement.PlacementError as error:
            self.expansion.problem(path, error.message, error.hint)
            return []

    def _label(self) -> str:
        model = self.model
        ys, xs = (",".join(_squeezed(code.text) for code in codes) for codes in (self.ys, self.xs))
        asked = f"H({ys})~{xs}" if model.call == "hessians" else f"{ys}~{xs}"
        order = f"^{model.order}" if model.order > 1 else ""
        return (model.id or asked) + order + self.choice

    def _id(self, label: str, stopped: Sequence[str], profile: Profile) -> str:
        expansion = self.expansion
        if stopped:
            label += "@" + ",".join(stopped)
        axes = [spelled(value) for value in expansion.entry.values.values()]
        if isinstance(expansion.model.profile, list):
            axes.append(profile)
        return f"{expansion.case.name}::{label}" + (f"[{','.join(axes)}]" if axes else "")


def _weight(given: Any) -> str | None:
    if given is None:
        return ""
    # Of another dtype than the y's: what is handed on is then no gradient of it.
    typed = isinstance(given, dict) and "value" in given and "full" not in given
    return None if isinstance(given, str) or typed else render(given, None, ()).source


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _call(head: str, arguments: Sequence[str]) -> str:
    line = f"{head}({', '.join(arguments)})"
    if len(line) <= LINE_LENGTH:
        return line
    return f"{head}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"
