"""`stop_gradient_at`: puts tf.stop_gradient into a graph's text without touching the rest.

To stop a tensor z, `z_stopped = tf.stop_gradient(z)` is written after each statement that
binds z, and the consumers read `z_stopped` in its place. Comments and layout stay as they
are, because only the names that are read are replaced, by their place in the text.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from gradparity.language.allow_list import words
from gradparity.language.code import Code
from gradparity.language.problems import nearest

MAX_SUBSETS = 8  # placeable tensors: 256 variants


class PlacementError(Exception):
    """A placement that cannot be made."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Stop:
    """One place at which gradients are stopped: a tensor, or its edge to one consumer."""

    tensor: str
    consumer: str | None = None

    def __str__(self) -> str:
        return self.tensor if self.consumer is None else f"{self.tensor}->{self.consumer}"


class _Kind(Enum):
    TENSOR = "a tensor"
    UNSURE = "perhaps a tensor"
    PYTHON = "a Python value"


@dataclass(frozen=True)
class _Load:
    """A name that is read at the top level, and the names that its statement binds."""

    name: str
    node: ast.Name
    binds: frozenset[str]
    augmented: ast.AugAssign | None = None


@dataclass(frozen=True)
class _Binding:
    """A statement that binds names; `inside`: they are bound where its body begins."""

    statement: ast.stmt
    inside: bool = False


@dataclass(frozen=True)
class Woven:
    """A graph with its stops put in.

    Attributes:
      before: lines to be put between the inputs and the graph.
      lines: the graph's lines.
      origins: for each line, the line of the graph as written that it comes from, from 1.
    """

    before: tuple[str, ...]
    lines: tuple[str, ...]
    origins: tuple[int, ...]


@dataclass
class Placement:
    """What can be stopped in a graph, and the graph with it stopped.

    Attributes:
      inputs: the names of the inputs.
      graph: the graph's code, or None when there is none.
    """

    inputs: tuple[str, ...]
    graph: Code | None

    @cached_property
    def _reader(self) -> _Reader:
        reader = _Reader(self.inputs)
        if self.graph is not None:
            reader.statements(self.graph)
        return reader

    def variants(self, asked: str | Sequence[str], ys: Sequence[Code]) -> list[tuple[Stop, ...]]:
        """The combinations of stops for a query.

        Args:
          asked: the value of `stop_gradient_at`.
          ys: the query's ys; those that are more than a bare name are consumers.

        Raises:
          PlacementError: a name is unknown, or stopping it would change nothing.
        """
        if asked == "each":
            return [(Stop(name),) for name in self._placeable(ys)]
        if asked == "subsets":
            names = self._placeable(ys)
            if len(names) > MAX_SUBSETS:
                raise PlacementError(
                    f"`subsets` of {len(names)} tensors are {2 ** len(names):,} variants; "
                    f"at most {MAX_SUBSETS} tensors",
                    f"list the placements that matter; there are: {', '.join(names)}",
                )
            return [
                tuple(Stop(name) for name in chosen)
                for count in range(len(names) + 1)
                for chosen in itertools.combinations(names, count)
            ]
        stops = tuple(
            self.parse(text, ys) for text in ([asked] if isinstance(asked, str) else asked)
        )
        if len(set(stops)) < len(stops):
            raise PlacementError("the same placement stands here twice")
        return [stops]

    def parse(self, text: str, ys: Sequence[Code]) -> Stop:
        """One placement, `z1` or `z1 -> z2`. Raises PlacementError."""
        tensor, arrow, consumer = (part.strip() for part in text.partition("->"))
        for name in (tensor, consumer) if arrow else (tensor,):
            if name not in self._reader.kinds:
                known = list(self._reader.kinds)
                hint = nearest(name, [*known, "each", "subsets"]) or f"names: {', '.join(known)}"
                raise PlacementError(f"unknown tensor {name!r}", hint)
        if self._reader.kinds[tensor] is _Kind.PYTHON:
            raise PlacementError(f"{tensor!r} is not a tensor: nothing flows through it")
        loads = [load for load in self._reader.loads if load.name == tensor]
        if not arrow:
            if not loads and tensor not in _read_by(ys):
                raise PlacementError(
                    f"nothing consumes {tensor!r}: to stop it would change nothing",
                    "a bare name among the ys is the tensor itself; an expression consumes it",
                )
            return Stop(tensor)
        if not any(consumer in load.binds for load in loads):
            consumers = list(dict.fromkeys(c for load in loads for c in sorted(load.binds)))
            hint = f"it is read by: {', '.join(consumers)}" if consumers else ""
            raise PlacementError(f"{consumer!r} does not read {tensor!r}", hint)
        return Stop(tensor, consumer)

    def _placeable(self, ys: Sequence[Code]) -> list[str]:
        read = {load.name for load in self._reader.loads} | _read_by(ys)
        kinds = self._reader.kinds
        found = [name for name in kinds if kinds[name] is _Kind.TENSOR and name in read]
        if not found:
            raise PlacementError("no tensor of this graph has a consumer: there is none to stop")
        return found

    def names(self, stops: Sequence[Stop], ys: Sequence[Code]) -> dict[str, str]:
        """For each stopped tensor, a name for it that nothing else has."""
        if not stops:
            return {}
        taken = set(self._reader.kinds) | self._reader.mentioned | _read_by(ys)
        found = {}
        for stop in stops:
            name = f"{stop.tensor}_stopped"
            while name in taken:
                name += "_"
            found[stop.tensor] = name
        return found

    def weave(self, stops: Sequence[Stop], names: Mapping[str, str]) -> Woven:
        """The graph with `stops` in it, under `names`."""
        before = [f"{names[i]} = tf.stop_gradient({i})" for i in self.inputs if i in names]
        if self.graph is None:
            return Woven(tuple(before), (), ())
        edits = _Edits(self.graph)
        if not stops:
            return Woven((), *edits.apply())
        for load in self._reader.loads:
            if any(s.tensor == load.name and s.consumer in (None, *load.binds) for s in stops):
                if load.augmented is None:
                    edits.replace(load.node, names[load.name])
                else:
                    edits.expand(load.augmented, names[load.name])
        for name, stopped in names.items():
            for binding in self._reader.bindings.get(name, ()):
                edits.follow(binding, f"{stopped} = tf.stop_gradient({name})")
        lines, origins = edits.apply()
        return Woven(tuple(before), lines, origins)


def expression(code: Code, stops: Iterable[Stop], names: Mapping[str, str]) -> str:
    """A y with its stops: an expression consumes what it reads, a bare name is the tensor."""
    body = code.body
    if isinstance(body, ast.Name):
        return code.text
    whole = {stop.tensor for stop in stops if stop.consumer is None}
    edits = _Edits(code)
    for node in _free_names(body):
        if node.id in whole:
            edits.replace(node, names[node.id])
    return "\n".join(edits.apply()[0])


def _read_by(ys: Iterable[Code]) -> set[str]:
    return {
        node.id
        for code in ys
        if not isinstance(code.body, ast.Name)
        for node in _free_names(code.body)
    }


# Reading


class _Reader:
    """What the statements of a graph read and bind at the top level."""

    def __init__(self, inputs: Iterable[str]) -> None:
        self.kinds: dict[str, _Kind] = dict.fromkeys(inputs, _Kind.TENSOR)
        self.loads: list[_Load] = []
        self.bindings: dict[str, list[_Binding]] = {}
        self.mentioned: set[str] = set()

    def statements(self, code: Code) -> None:
        assert isinstance(code.tree, ast.Module)
        for node in ast.walk(code.tree):
            if isinstance(node, ast.Name):
                self.mentioned.add(node.id)
            elif isinstance(node, ast.arg):
                self.mentioned.add(node.arg)
        self._block(code.tree.body)

    def _block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            names = [name for target in node.targets for name in _target_names(target)]
            self._read(node.value, names)
            for target in node.targets:
                self._bind(target, node.value, _Binding(node))
        elif isinstance(node, ast.AugAssign):
            assert isinstance(node.target, ast.Name)
            name = node.target.id
            self.loads.append(_Load(name, node.target, frozenset({name}), node))
            self._read(node.value, [name])
            self._note(name, self._kind(node.value), _Binding(node))
        elif isinstance(node, ast.FunctionDef):
            self._read(node, [node.name])
            self._note(node.name, _Kind.PYTHON, None)
        elif isinstance(node, ast.Expr):
            self._read(node.value, [])
        elif isinstance(node, ast.If):
            self._read(node.test, [])
            self._block(node.body)
            self._block(node.orelse)
        elif isinstance(node, ast.For):
            self._read(node.iter, _target_names(node.target))
            for name in _target_names(node.target):
                self._note(name, self._item_kind(node.iter), _Binding(node, inside=True))
            self._block(node.body)
        elif isinstance(node, ast.With):
            for item in node.items:
                self._read(item.context_expr, [])
                if item.optional_vars is not None:
                    for name in _target_names(item.optional_vars):
                        self._note(name, _Kind.PYTHON, None)
            self._block(node.body)

    def _read(self, node: ast.AST, binds: Iterable[str]) -> None:
        names = frozenset(binds)
        self.loads += [_Load(found.id, found, names) for found in _free_names(node)]

    def _bind(self, target: ast.expr, value: ast.expr, binding: _Binding) -> None:
        if isinstance(target, ast.Name):
            self._note(target.id, self._kind(value), binding)
        elif isinstance(target, ast.Tuple | ast.List):
            paired = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            for i, item in enumerate(target.elts):
                if paired:
                    assert isinstance(value, ast.Tuple | ast.List)
                    self._bind(item, value.elts[i], binding)
                else:
                    for name in _target_names(item):
                        self._note(name, self._item_kind(value), binding)

    def _note(self, name: str, kind: _Kind, binding: _Binding | None) -> None:
        order = list(_Kind)
        known = self.kinds.get(name, _Kind.PYTHON)
        self.kinds[name] = min(known, kind, key=order.index)
        if binding is not None:
            self.bindings.setdefault(name, []).append(binding)

    def _kind(self, node: ast.expr) -> _Kind:
        """Whether the value of an expression is a tensor, as far as its form tells."""
        if isinstance(node, ast.Name):
            return self.kinds.get(node.id, _Kind.PYTHON)
        if isinstance(node, ast.BinOp):
            return self._any([node.left, node.right])
        if isinstance(node, ast.UnaryOp):
            return self._kind(node.operand)
        if isinstance(node, ast.Compare):
            return self._any([node.left, *node.comparators])
        if isinstance(node, ast.IfExp):
            return self._any([node.body, node.orelse])
        if isinstance(node, ast.BoolOp):
            return self._any(node.values)
        if isinstance(node, ast.Subscript):
            return self._item_kind(node.value)
        if isinstance(node, ast.Attribute):
            return _Kind.UNSURE if node.attr in _TENSOR_ATTRIBUTES else _Kind.PYTHON
        if isinstance(node, ast.Call):
            return self._call_kind(node)
        return _Kind.PYTHON

    def _call_kind(self, node: ast.Call) -> _Kind:
        name = _dotted(node.func)
        if name is not None and name.startswith("tf."):
            return _tensorflow_kind(name.removeprefix("tf."))
        if name in ("abs", "max", "min", "sum"):
            return self._any([part for arg in node.args for part in _parts(arg)])
        if isinstance(node.func, ast.Name):
            known = self.kinds.get(node.func.id)
            return _Kind.PYTHON if known is None else _Kind.TENSOR
        if isinstance(node.func, ast.Attribute):
            return _Kind.TENSOR if node.func.attr in _TENSOR_METHODS else _Kind.PYTHON
        return _Kind.UNSURE

    def _item_kind(self, node: ast.expr) -> _Kind:
        """What the items of an expression's value are."""
        if isinstance(node, ast.List | ast.Tuple):
            return self._any(node.elts)
        if isinstance(node, ast.ListComp):
            return _Kind.UNSURE
        if isinstance(node, ast.Call):
            name = _dotted(node.func) or ""
            if name in ("range", "len", "np.array") or name.endswith((".as_list", ".get_shape")):
                return _Kind.PYTHON
            return _Kind.UNSURE if name in ("zip", "enumerate", "list") else _Kind.TENSOR
        if isinstance(node, ast.Attribute):
            return _Kind.TENSOR if node.attr in _TENSOR_ATTRIBUTES else _Kind.PYTHON
        if isinstance(node, ast.Name) and self.kinds.get(node.id) is _Kind.PYTHON:
            return _Kind.UNSURE  # a list, whose items may be tensors
        return self._kind(node)

    def _any(self, nodes: Iterable[ast.expr]) -> _Kind:
        kinds = {self._kind(node) for node in nodes}
        return next((kind for kind in _Kind if kind in kinds), _Kind.PYTHON)


_TENSOR_ATTRIBUTES = frozenset({"values", "indices", "dense_shape", "inputs", "outputs", "T"})
_TENSOR_METHODS = words(
    "assign assign_add assign_sub concat count_up_to gather initialized_value read read_value "
    "stack to_tensor value"
)
# Functions of tf by what they give back; the others give one tensor.
_GIVES_PYTHON = re.compile(
    r"""(.*_initializer | .*Optimizer | initializers\..* | .*variables | get_collection\w* | split |
    unstack | meshgrid | gradients | hessians | shape_n | identity_n | tuple | TensorShape | Graph |
    TensorArray | as_dtype | group | no_op | name_scope | is_\w+ | custom_gradient | function |
    recompute_grad | grad_pass_through | make_template | get_default_graph | GradientTape |
    broadcast_static_shape | dimension_\w+ | get_variable_scope | variable_scope | DeviceSpec)""",
    re.VERBOSE,
)
_GIVES_SEVERAL = re.compile(
    r"""(\w+\.)? (moments | top_k | unique | unique_with_counts | while_loop | svd | qr | lu |
    self_adjoint_eig | eigh | slogdet | fused_batch_norm | normalize | \w*Sparse\w* |
    \w*Ragged\w* | sparse_\w+ | IndexedSlices | weighted_moments | setdiff1d | scan | cond | case) |
    (sparse | ragged)\..*""",
    re.VERBOSE,
)


def _tensorflow_kind(name: str) -> _Kind:
    if name in ("cond", "case", "scan"):
        return _Kind.TENSOR
    if _GIVES_PYTHON.fullmatch(name):
        return _Kind.PYTHON
    return _Kind.UNSURE if _GIVES_SEVERAL.fullmatch(name) else _Kind.TENSOR


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    return node.elts if isinstance(node, ast.List | ast.Tuple) else [node]


def _dotted(node: ast.AST) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return ".".join([node.id, *parts]) if isinstance(node, ast.Name) else None


def _target_names(target: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _free_names(node: ast.AST) -> Iterator[ast.Name]:
    """The names that a part of the code reads from outside itself, as consumers.

    An object of which an attribute is asked (`w.assign`, `x.shape`) is not consumed, nor is a
    variable that is assigned to, nor a tensor that is handed to tf.gradients: these are about
    the tensor itself.
    """
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load):
            yield node
    elif isinstance(node, ast.FunctionDef | ast.Lambda):
        yield from _free_in_function(node)
    elif isinstance(node, ast.ListComp):
        bound = {name for g in node.generators for name in _target_names(g.target)}
        for child in ast.iter_child_nodes(node):
            yield from (name for name in _free_names(child) if name.id not in bound)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return
    elif isinstance(node, ast.Call):
        untouched = {id(name) for part in _untouched_arguments(node) for name in ast.walk(part)}
        for child in ast.iter_child_nodes(node):
            yield from (name for name in _free_names(child) if id(name) not in untouched)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _free_names(child)


def _free_in_function(node: ast.FunctionDef | ast.Lambda) -> Iterator[ast.Name]:
    arguments = node.args
    outer: list[ast.AST] = [
        d for d in (*arguments.defaults, *arguments.kw_defaults) if d is not None
    ]
    if isinstance(node, ast.FunctionDef):
        outer += node.decorator_list
    for part in outer:
        yield from _free_names(part)
    body: list[ast.AST] = [*node.body] if isinstance(node.body, list) else [node.body]
    local = {a.arg for a in ast.walk(arguments) if isinstance(a, ast.arg)}
    for part in body:
        local |= set(_locally_bound(part))
    for part in body:
        yield from (name for name in _free_names(part) if name.id not in local)


def _locally_bound(node: ast.AST) -> Iterator[str]:
    """Names that a statement of a function binds in that function's own scope."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.FunctionDef):
        yield node.name
    elif not isinstance(node, ast.Lambda | ast.ListComp):
        for child in ast.iter_child_nodes(node):
            yield from _locally_bound(child)


def _untouched_arguments(node: ast.Call) -> list[ast.expr]:
    name = _dotted(node.func) or ""
    if name in ("tf.gradients", "tf.hessians"):
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        bare = [part for argument in arguments for part in _parts(argument)]
        # A list is entered by its parts, so that its expressions stay consumers.
        return [part for part in bare if isinstance(part, ast.Name)]
    if re.fullmatch(r"tf\.(assign\w*|count_up_to|scatter_(?!nd$)\w+)", name):
        return node.args[:1]
    return []


# Writing


class _Edits:
    """Changes to a text, by position, made in one go."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._edits: list[tuple[int, int, str]] = []  # start, end, what stands there instead

    def replace(self, node: ast.AST, text: str) -> None:
        self._edits.append((self._code.start(node), self._code.end(node), text))

    def expand(self, node: ast.AugAssign, stopped: str) -> None:
        """`z += v` as `z = z_stopped + (v)`."""
        after_name, value = self._code.end(node.target), self._code.start(node.value)
        match = re.compile(r"(\S{1,2})=\s*").search(self._code.text, after_name, value)
        assert match is not None
        assert isinstance(node.target, ast.Name)
        self._edits.append((after_name, after_name, f" = {stopped}"))
        self._edits.append((match.start(), match.end(), f"{match[1]} ("))
        self._edits.append((self._code.end(node), self._code.end(node), ")"))

    def follow(self, binding: _Binding, text: str) -> None:
        """Puts a statement where the binding has just been made."""
        if binding.inside:
            body = getattr(binding.statement, "body")  # noqa: B009 - For and With have one
            start = self._code.start(body[0])
            indent = self._indent(start)
            after = "; " if indent is None else f"\n{indent}"
            self._edits.append((start, start, text + after))
            return
        start, end = self._code.start(binding.statement), self._code.end(binding.statement)
        line_end = self._code.text.find("\n", end)
        line_end = len(self._code.text) if line_end < 0 else line_end
        indent = self._indent(start)
        rest = self._code.text[end:line_end].strip()
        if indent is None or (rest and not rest.startswith("#")):
            self._edits.append((end, end, f"; {text}"))
        else:
            self._edits.append((line_end, line_end, f"\n{indent}{text}"))

    def _indent(self, start: int) -> str | None:
        """The indentation of a statement that begins its line, else None."""
        line_start = self._code.text.rfind("\n", 0, start) + 1
        before = self._code.text[line_start:start]
        return None if before.strip() else before

    def apply(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The changed lines, and for each the line that it comes from, from 1."""
        text, position = [], 0
        origins, line = [1], 1
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            kept = self._code.text[position:start]
            for _ in range(kept.count("\n")):
                line += 1
                origins.append(line)
            origins += [line] * new.count("\n")
            line += self._code.text[start:end].count("\n")
            text += [kept, new]
            position = end
        rest = self._code.text[position:]
        origins += [line + i + 1 for i in range(rest.count("\n"))]
        return tuple("".join([*text, rest]).split("\n")), tuple(origins)
