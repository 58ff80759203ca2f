"""Shows before anything runs that the code of a case ends soon and stays small.

The code is walked as Python would run it, step by step, but with stand-ins for tensors, so
that loops, calls and Python numbers are followed exactly while no TensorFlow is needed.
What takes too many steps, calls itself, or makes a giant number, text or list is refused.
Nothing of the case is executed: every operation below is one of this module's own.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradparity.language.allow_list import NUMPY_ARRAYS, NUMPY_CONSTANTS, words
from gradparity.language.arithmetic import (
    COMPARISONS,
    FLAG,
    FLOAT64,
    INT64,
    MAX_ITEMS,
    SEALED,
    SHAPE,
    TENSOR,
    UNARY,
    Items,
    Known,
    Number,
    Run,
    Sealed,
    Shape,
    Tensor,
    Unbounded,
    Value,
    bits_of,
    bits_of_result,
    check_array_argument,
    check_array_size,
    formatted,
    known_result,
    length_of,
    too_long,
)
from gradparity.language.code import Code, CodeProblem

MAX_STEPS = 100_000
MAX_CALLS = 25  # calls within calls
_ITEMS_PER_STEP = 10  # a long list costs its length
_CHARACTERS_PER_STEP = 1_000


@dataclass(eq=False)
class _Scope:
    names: dict[str, Any] = field(default_factory=dict)
    parent: _Scope | None = None

    def find(self, name: str) -> Any:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None


@dataclass(eq=False)
class _Function:
    """A function of the case. `by_tensorflow`: TensorFlow calls it, with tensors."""

    node: ast.FunctionDef | ast.Lambda
    scope: _Scope
    defaults: Mapping[str, Any]
    by_tensorflow: bool = False


# What TensorFlow does with functions. Other names of tf take none.
_WRAPPERS = frozenset({"custom_gradient", "recompute_grad", "grad_pass_through"})
_CALLABLES = frozenset({"function", "make_template"})  # called with the arguments as they are
_REGISTRARS = frozenset({"RegisterGradient"})  # TensorFlow calls it when it differentiates
_CALLERS = words(
    "Variable case cond foldl foldr get_variable map_fn scan switch_case vectorized_map while_loop"
)
_AT_ONCE = words("case cond foldl foldr map_fn scan switch_case while_loop")  # and never again
_DIFFERENTIATORS = frozenset({"gradients", "hessians"})

_SHAPES = frozenset({"TensorShape", "broadcast_static_shape"})
_NUMBERS = words(
    "dimension_at_index dimension_value executing_eagerly executing_eagerly_outside_functions "
    "is_numeric_tensor is_symbolic_tensor is_tensor resource_variables_enabled "
    "control_flow_v2_enabled"
)
_LISTS = words(
    "all_variables get_collection get_collection_ref global_variables local_variables meshgrid "
    "model_variables moving_average_variables split trainable_variables unstack "
    "gradients hessians identity_n shape_n tuple"
)
_ATTRIBUTE_VALUES: Mapping[str, Any] = {
    **dict.fromkeys(("shape", "dims"), SHAPE),
    **dict.fromkeys(("ndims", "rank", "max", "min", "size", "value_index"), INT64),
    **dict.fromkeys(("name", "device", "type", "original_name_scope"), Run(200)),
    **dict.fromkeys(("inputs", "outputs", "control_inputs"), Run(MAX_ITEMS)),
    **dict.fromkeys(("is_floating", "is_integer", "trainable"), FLAG),
}
_METHOD_VALUES: Mapping[str, Any] = {
    **dict.fromkeys(("as_list", "get_shape", "merge_with", "with_rank"), SHAPE),
    "num_elements": INT64,
    "is_compatible_with": FLAG,
    "is_fully_defined": FLAG,
    "consumers": Run(MAX_ITEMS),
    "compute_gradients": Run(MAX_ITEMS),
}


class Walk:
    """A walk through a case's graph and then through the expressions of its queries.

    Args:
      inputs: the names of the inputs.
    """

    def __init__(self, inputs: Iterable[str]) -> None:
        self._top = _Scope(dict.fromkeys(inputs, TENSOR))
        self._steps = 0
        self._calls = 0
        self._repeating: list[ast.AST] = []  # the loops and calls that are under way
        self._deferred: list[_Function] = []  # functions that TensorFlow calls later
        self._returned: list[list[Any]] = []

    def check(self, code: Code) -> CodeProblem | None:
        """Walks statements or one expression; returns the first problem met, or None.

        The code must have passed `allow_list.check`.
        """
        self._steps = self._calls = 0
        self._repeating.clear()
        self._returned.clear()
        try:
            if isinstance(code.tree, ast.Module):
                self._block(code.tree.body, self._top)
                self._call_deferred(code.tree)
            else:
                self._eval(code.tree.body, self._top)
        except Unbounded as refusal:
            return CodeProblem(code.start(refusal.node), refusal.message, refusal.hint)
        except RecursionError:
            node = self._repeating[0] if self._repeating else code.tree
            return CodeProblem(code.start(node), "the code nests too deeply")
        return None

    def _step(self, node: ast.AST, count: int = 1) -> None:
        self._steps += count
        if self._steps > MAX_STEPS:
            blamed = self._repeating[0] if self._repeating else node
            raise Unbounded(blamed, f"this takes more than {MAX_STEPS:,} steps to build")

    # Statements. A block returns whether it has certainly returned from its function.

    def _block(self, statements: Iterable[ast.stmt], scope: _Scope) -> bool:
        return any(self._statement(statement, scope) for statement in statements)

    def _statement(self, node: ast.stmt, scope: _Scope) -> bool:
        self._step(node)
        if isinstance(node, ast.Expr):
            self._eval(node.value, scope)
        elif isinstance(node, ast.Assign):
            value = self._eval(node.value, scope)
            for target in node.targets:
                self._bind(target, value, scope)
        elif isinstance(node, ast.AugAssign):
            assert isinstance(node.target, ast.Name)
            left = _or_tensor(scope.find(node.target.id))
            right = self._eval(node.value, scope)
            self._bind(node.target, self._binary(node, node.op, left, right), scope)
        elif isinstance(node, ast.FunctionDef):
            self._define(node, scope)
        elif isinstance(node, ast.Return):
            value = Known(None) if node.value is None else self._eval(node.value, scope)
            self._returned[-1].append(value)
            return True
        elif isinstance(node, ast.With):
            for item in node.items:
                self._eval(item.context_expr, scope)
                if item.optional_vars is not None:
                    self._bind(item.optional_vars, TENSOR, scope)
            return self._block(node.body, scope)
        elif isinstance(node, ast.If):
            return self._if(node, scope)
        elif isinstance(node, ast.For):
            return self._for(node, scope)
        return False

    def _if(self, node: ast.If, scope: _Scope) -> bool:
        test = self._eval(node.test, scope)
        if isinstance(test, Known):
            return self._block(node.body if test.value else node.orelse, scope)
        self._step(node, 1 + len(scope.names) // 10)
        before = dict(scope.names)
        body_returns = self._block(node.body, scope)
        after_body, scope.names = scope.names, before
        else_returns = self._block(node.orelse, scope)
        for name, value in after_body.items():
            other = scope.names.get(name, value)
            scope.names[name] = self._either(node, value, other)
        return body_returns and else_returns

    def _for(self, node: ast.For, scope: _Scope) -> bool:
        items = self._iterated(node.iter, self._eval(node.iter, scope))
        self._repeating.append(node)
        returned = False
        for item in items:
            self._step(node)
            self._bind(node.target, item, scope)
            # A return ends the loop only if it is certain; else the walk goes on.
            if self._block(node.body, scope):
                returned = True
                break
        self._repeating.pop()
        return returned

    def _iterated(self, node: ast.AST, value: Value) -> Sequence[Value]:
        """The items over which a loop runs. Raises when their number is not known."""
        if isinstance(value, Items):
            return value.items
        if isinstance(value, Known) and isinstance(value.value, str):
            return [Known(character) for character in value.value]
        raise Unbounded(
            node,
            "how often this repeats cannot be known before it runs",
            "repeat over range(…) of numbers, or over a list that is written out",
        )

    def _define(self, node: ast.FunctionDef, scope: _Scope) -> None:
        value: Value = self._function(node, scope)
        for decorator in reversed(node.decorator_list):
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = _tensorflow_name(called)
            if name not in _WRAPPERS | _CALLABLES | _REGISTRARS:
                raise Unbounded(decorator, "this cannot decorate a function of a case",
                                 "use tf.custom_gradient or tf.RegisterGradient")  # fmt: skip
            if isinstance(decorator, ast.Call):
                for argument in [*decorator.args, *(k.value for k in decorator.keywords)]:
                    self._no_function(argument, self._eval(argument, scope))
            value.by_tensorflow = value.by_tensorflow or name in _WRAPPERS
            if name in _REGISTRARS:
                self._call_later(value)
        scope.names[node.name] = value

    def _function(self, node: ast.FunctionDef | ast.Lambda, scope: _Scope) -> _Function:
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        named = dict(
            zip(
                [a.arg for a in positional[len(positional) - len(arguments.defaults) :]],
                arguments.defaults,
                strict=True,
            )
        )
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                named[argument.arg] = default
        defaults = {name: self._eval(value, scope) for name, value in named.items()}
        return _Function(node, scope, defaults)

    def _bind(self, target: ast.expr, value: Value, scope: _Scope) -> None:
        self._step(target)
        if isinstance(target, ast.Name):
            scope.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            count = len(target.elts)
            if isinstance(value, Items) and len(value.items) == count:
                parts: Sequence[Value] = value.items
            elif isinstance(value, Known) and isinstance(value.value, str):
                parts = [Run(MAX_ITEMS)] * count
            else:
                self._no_function(target, value)
                parts = [self._element(value)] * count
            for item, part in zip(target.elts, parts, strict=True):
                self._bind(item, part, scope)

    # Expressions

    def _eval(self, node: ast.expr, scope: _Scope) -> Value:
        self._step(node)
        if isinstance(node, ast.Name):
            return _or_tensor(scope.find(node.id))
        if isinstance(node, ast.Constant):
            return Known(node.value)
        if isinstance(node, ast.BinOp):
            left = self._eval(node.left, scope)
            return self._binary(node, node.op, left, self._eval(node.right, scope))
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, scope)
        if isinstance(node, ast.List | ast.Tuple):
            return self._items(node, self._spread(node.elts, scope))
        if isinstance(node, ast.Lambda):
            return self._function(node, scope)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, scope)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node, self._eval(node.operand, scope))
        if isinstance(node, ast.Compare):
            return self._compare(node, scope)
        if isinstance(node, ast.BoolOp):
            values = [self._eval(value, scope) for value in node.values]
            return self._any_of(node, values)
        if isinstance(node, ast.IfExp):
            test = self._eval(node.test, scope)
            if isinstance(test, Known):
                return self._eval(node.body if test.value else node.orelse, scope)
            values = [self._eval(node.body, scope), self._eval(node.orelse, scope)]
            return self._any_of(node, values)
        if isinstance(node, ast.ListComp):
            found: list[Value] = []
            self._repeating.append(node)
            self._comprehend(node, node.generators, _Scope(parent=scope), found)
            self._repeating.pop()
            return self._items(node, found)
        for child in ast.iter_child_nodes(node):  # a dict, a slice, a star
            if isinstance(child, ast.expr):
                self._no_function(child, self._eval(child, scope))
        return TENSOR

    def _spread(self, nodes: Iterable[ast.expr], scope: _Scope) -> list[Value]:
        """Values of list items or arguments, with `*list` spread out."""
        values: list[Value] = []
        for node in nodes:
            if not isinstance(node, ast.Starred):
                values.append(self._eval(node, scope))
                continue
            value = self._eval(node.value, scope)
            if isinstance(value, Run | Shape):
                values.append(self._element(value))  # how many there are changes nothing here
            else:
                values += self._iterated(node, value)
        return values

    def _comprehend(
        self,
        node: ast.ListComp,
        generators: Sequence[ast.comprehension],
        scope: _Scope,
        found: list[Value],
    ) -> None:
        if not generators:
            found.append(self._eval(node.elt, scope))
            return
        first, rest = generators[0], generators[1:]
        for item in self._iterated(first.iter, self._eval(first.iter, scope)):
            self._step(node)
            self._bind(first.target, item, scope)
            tests = [self._eval(condition, scope) for condition in first.ifs]
            if not any(isinstance(test, Known) and not test.value for test in tests):
                self._comprehend(node, rest, scope, found)

    def _items(self, node: ast.AST, items: Sequence[Value]) -> Items:
        self._step(node, len(items) // _ITEMS_PER_STEP)
        size = sum(item.size if isinstance(item, Items) else 1 for item in items)
        if size > MAX_ITEMS:
            raise too_long(node, size)
        functions = {id(f): f for item in items for f in _functions_in(item)}
        return Items(tuple(items), size, tuple(functions.values()))

    def _element(self, value: Value) -> Value:
        """Some item of a value of which no more is known."""
        if isinstance(value, Shape | Number):
            return INT64
        if isinstance(value, Known | Items):
            return Run(MAX_ITEMS)
        return TENSOR

    def _subscript(self, node: ast.Subscript, scope: _Scope) -> Value:
        value = self._eval(node.value, scope)
        if isinstance(node.slice, ast.Slice):
            self._eval(node.slice, scope)
            if isinstance(value, Items):
                return self._slice(node, value, scope)
            return Run(MAX_ITEMS) if isinstance(value, Known) else value
        index = self._eval(node.slice, scope)
        if isinstance(value, Items):
            if isinstance(index, Known) and isinstance(index.value, int):
                if -len(value.items) <= index.value < len(value.items):
                    return value.items[index.value]
                return TENSOR  # an IndexError when it runs
            return self._any_of(node, value.items) if value.items else TENSOR
        return self._element(value)

    def _slice(self, node: ast.Subscript, value: Items, scope: _Scope) -> Value:
        assert isinstance(node.slice, ast.Slice)
        bounds: list[int | None] = []
        for part in (node.slice.lower, node.slice.upper, node.slice.step):
            known = Known(None) if part is None else self._eval(part, scope)
            if not isinstance(known, Known) or not isinstance(known.value, int | None):
                self._no_function(node, value)
                return Run(len(value.items))
            bounds.append(known.value)
        if bounds[2] == 0:
            return TENSOR  # a ValueError when it runs
        return self._items(node, value.items[slice(*bounds)])

    def _attribute(self, node: ast.Attribute, scope: _Scope) -> Value:
        name = _tensorflow_name(node)
        if name is not None:
            return SEALED if name.rpartition(".")[2].isupper() else TENSOR
        if isinstance(node.value, ast.Name) and node.value.id == "np":
            known = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
            constant = node.attr in NUMPY_CONSTANTS
            return Known(known.get(node.attr)) if constant else TENSOR
        if not (isinstance(node.value, ast.Attribute) and _tensorflow_name(node.value)):
            value = self._eval(node.value, scope)
            self._no_function(node, value)
            if node.attr == "value" and isinstance(value, Number):
                return value
        return _ATTRIBUTE_VALUES.get(node.attr, TENSOR)

    # Calls

    def _call(self, node: ast.Call, scope: _Scope) -> Value:
        name = _tensorflow_name(node.func)
        if name is not None:
            return self._call_tensorflow(node, name, scope)
        if _is_builtin(node.func, scope):
            return self._call_builtin(node, self._spread(node.args, scope), scope)
        if isinstance(node.func, ast.Attribute):
            return self._call_attribute(node, node.func, scope)
        function = self._eval(node.func, scope)
        arguments = self._spread(node.args, scope)
        named = {k.arg: self._eval(k.value, scope) for k in node.keywords}
        if isinstance(function, _Function):
            return self._call_function(node, function, arguments, named)
        if isinstance(function, Items | Known | Number | Run):
            return TENSOR  # a TypeError when it runs
        for value in [*arguments, *named.values()]:
            self._no_function(node, value)
        return TENSOR

    def _call_function(
        self,
        node: ast.AST,
        function: _Function,
        arguments: Sequence[Value] = (),
        named: Mapping[str | None, Value] | None = None,
    ) -> Value:
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise Unbounded(
                self._repeating[0] if self._repeating else node,
                f"calls nest deeper than {MAX_CALLS}: does a function call itself?",
                "a function may call only functions that are bound before it",
            )
        self._repeating.append(node)
        scope = self._parameters(function, arguments, named or {})
        body = function.node.body
        if isinstance(body, list):
            self._returned.append([])
            self._block(body, scope)
            returned = self._returned.pop()
            value = self._any_of(node, returned) if returned else Known(None)
        else:
            value = self._eval(body, scope)
        if function.by_tensorflow:
            for inner in _functions_in(value):
                self._call_later(inner)
            value = TENSOR
        self._repeating.pop()
        self._calls -= 1
        return value

    def _parameters(
        self, function: _Function, arguments: Sequence[Value], named: Mapping[str | None, Value]
    ) -> _Scope:
        signature = function.node.args
        positional = [a.arg for a in (*signature.posonlyargs, *signature.args)]
        names: dict[str, Any] = dict.fromkeys(
            [*positional, *(a.arg for a in signature.kwonlyargs)], TENSOR
        )
        names.update(function.defaults)
        for extra in (signature.vararg, signature.kwarg):
            if extra is not None:
                names[extra.arg] = Run(MAX_ITEMS)
        if not function.by_tensorflow:
            names.update(zip(positional, arguments, strict=False))
            names.update({key: value for key, value in named.items() if key in names})
            if signature.vararg is not None:
                rest = tuple(arguments[len(positional) :])
                names[signature.vararg.arg] = self._items(function.node, rest)
        return _Scope(names, function.scope)

    def _call_later(self, function: _Function) -> None:
        """Notes a function that TensorFlow calls with tensors, now or later."""
        self._deferred.append(self._call_by_tensorflow(function))

    def _call_by_tensorflow(self, function: _Function) -> _Function:
        called = _Function(function.node, function.scope, function.defaults, True)
        self._call_function(function.node, called)
        return called

    def _call_deferred(self, node: ast.AST) -> None:
        """Walks the noted functions again, in the scopes as they have become."""
        for function in list(self._deferred):
            self._call_function(node, function)

    def _call_tensorflow(self, node: ast.Call, name: str, scope: _Scope) -> Value:
        arguments = self._spread(node.args, scope)
        named = {k.arg: self._eval(k.value, scope) for k in node.keywords}
        values = [*arguments, *named.values()]
        functions = [f for value in values for f in _functions_in(value)]
        self._step(node, sum(length_of(v) or 0 for v in values) // _ITEMS_PER_STEP)
        if name in _WRAPPERS | _CALLABLES:
            if len(functions) != 1:
                return TENSOR  # an error when it runs, or a decorator to be
            f = functions[0]
            opaque = f.by_tensorflow or name in _WRAPPERS
            return _Function(f.node, f.scope, f.defaults, opaque)
        if functions and name not in _CALLERS:
            raise Unbounded(node, f"tf.{name} takes no function of a case")
        if name == "while_loop":
            self._check_while_loop(node, arguments, named)
        if name in _DIFFERENTIATORS:
            self._call_deferred(node)
        for function in functions:
            if name in _AT_ONCE:
                self._call_by_tensorflow(function)
            else:
                self._call_later(function)
        if name in _SHAPES:
            return SHAPE
        if name in _NUMBERS:
            return INT64
        return Run(MAX_ITEMS) if name in _LISTS else TENSOR

    def _check_while_loop(
        self, node: ast.Call, arguments: Sequence[Value], named: Mapping[str | None, Value]
    ) -> None:
        """Refuses a tf.while_loop whose condition can never change its mind."""
        if "maximum_iterations" in named:
            return
        pair = [*arguments[:2], None, None][:2]
        condition, body = named.get("cond", pair[0]), named.get("body", pair[1])
        if not isinstance(condition, _Function) or not isinstance(body, _Function):
            return
        read = _parameters_read(condition.node)
        if condition.node.args.vararg is None and not read - _parameters_kept(body.node):
            raise Unbounded(
                node,
                "this tf.while_loop never ends: its condition reads no value that its body changes",
                "count in a loop variable, or give maximum_iterations",
            )

    def _call_attribute(self, node: ast.Call, called: ast.Attribute, scope: _Scope) -> Value:
        if isinstance(called.value, ast.Name) and called.value.id == "np":
            return self._call_numpy(node, called.attr, scope)
        self._attribute(called, scope)
        for value in [*self._spread(node.args, scope), *self._keywords(node, scope)]:
            self._no_function(node, value)
        return _METHOD_VALUES.get(called.attr, TENSOR)

    def _keywords(self, node: ast.Call, scope: _Scope) -> list[Value]:
        return [self._eval(keyword.value, scope) for keyword in node.keywords]

    def _call_numpy(self, node: ast.Call, name: str, scope: _Scope) -> Value:
        values = self._spread(node.args, scope)
        for keyword in node.keywords:
            if keyword.arg == "dtype" and not _is_dtype(keyword.value):
                raise Unbounded(keyword.value, "write the dtype as np.float32 or its like")
            values.append(self._eval(keyword.value, scope))
        if any(isinstance(value, Known) and isinstance(value.value, str) for value in values[1:]):
            raise Unbounded(node, "a text in an array call", "write the dtype as np.float32")
        if name in NUMPY_ARRAYS:
            for value in values:
                check_array_argument(node, value)
            if name != "array":
                check_array_size(node, name, values)
        return TENSOR

    def _call_builtin(self, node: ast.Call, values: list[Value], scope: _Scope) -> Value:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        values = values + self._keywords(node, scope)
        if name == "range":
            return self._range(node, values)
        if name in ("list", "tuple", "reversed", "enumerate", "zip"):
            lists = [self._iterable(node, value) for value in values]
            if name == "enumerate":
                pairs = enumerate(lists[0] if lists else ())
                return self._items(node, [self._items(node, (Known(i), x)) for i, x in pairs])
            if name == "zip":
                rows = list(zip(*lists, strict=False))
                return self._items(node, [self._items(node, row) for row in rows])
            items = list(lists[0]) if lists else []
            return self._items(node, items[::-1] if name == "reversed" else items)
        for value in values:
            self._no_function(node, value)
        known = values[0] if values else TENSOR
        if name == "len":
            return Known(len(known.items)) if isinstance(known, Items) else INT64
        if name == "bool":
            return Known(bool(known.value)) if isinstance(known, Known) else FLAG
        if name in ("int", "float"):
            return self._number(name, known)
        if name == "abs":
            return self._absolute(known)
        # sum, min, max: at most as large as all the items together
        items = list(known.items) if isinstance(known, Items) else values
        self._step(node, len(items))
        if name == "sum":
            total: Value = values[1] if len(values) > 1 else Known(0)
            for item in items if isinstance(known, Items) else [TENSOR]:
                total = self._binary(node, ast.Add(), total, item)
            return total
        return self._any_of(node, items) if items else TENSOR

    def _iterable(self, node: ast.AST, value: Value) -> Sequence[Value]:
        if isinstance(value, Known) and isinstance(value.value, int):
            return []  # the start of enumerate
        items = self._iterated(node, value)
        self._step(node, len(items))
        return items

    def _range(self, node: ast.Call, values: Sequence[Value]) -> Value:
        bounds = []
        for value in values:
            if not isinstance(value, Known):
                raise Unbounded(
                    node,
                    "how often this repeats cannot be known before it runs",
                    "the bounds of range(…) must be numbers, not tensors",
                )
            bounds.append(value.value)
        if not 1 <= len(bounds) <= 3 or not all(isinstance(b, int) for b in bounds):
            return TENSOR  # a TypeError when it runs
        if len(bounds) == 3 and bounds[2] == 0:
            return TENSOR
        numbers = range(*bounds)
        count = max(0, -((numbers.start - numbers.stop) // numbers.step))
        if count > MAX_ITEMS:
            raise Unbounded(node, f"{count:,} repetitions are too many; at most {MAX_ITEMS:,}")
        return self._items(node, [Known(number) for number in numbers])

    def _number(self, name: str, value: Value) -> Value:
        if isinstance(value, Known):
            try:
                made = int(value.value) if name == "int" else float(value.value)
            except (TypeError, ValueError, OverflowError):
                return TENSOR  # the same error when it runs
            return Known(made)
        return FLOAT64 if name == "int" else Number(64)

    @staticmethod
    def _absolute(value: Value) -> Value:
        if isinstance(value, Known) and isinstance(value.value, int | float | complex):
            return Known(abs(value.value))
        return value if isinstance(value, Number) else TENSOR

    # Arithmetic

    def _binary(self, node: ast.AST, op: ast.operator, left: Value, right: Value) -> Value:
        name = type(op).__name__
        for value in (left, right):
            self._no_function(node, value)
            if isinstance(value, Sealed):
                raise Unbounded(node, "a constant of tf is to be passed on, not computed with")
        if isinstance(left, Tensor) or isinstance(right, Tensor):
            return TENSOR
        if isinstance(left, Items | Run) or isinstance(right, Items | Run):
            return self._join(node, name, left, right)
        if isinstance(left, Shape) or isinstance(right, Shape):
            return SHAPE if name == "Add" else TENSOR
        if isinstance(left, Known) and isinstance(right, Known):
            result = known_result(node, name, left.value, right.value)
            self._step(node, (length_of(result) or 0) // _CHARACTERS_PER_STEP)
            return result
        return Number(bits_of_result(node, name, left, right))

    def _join(self, node: ast.AST, name: str, left: Value, right: Value) -> Value:
        """Lists and texts: `a + b`, `a * n`, and text % values."""
        if name == "Add" and isinstance(left, Items) and isinstance(right, Items):
            return self._items(node, (*left.items, *right.items))
        if name == "Mult":
            items, count = (left, right) if isinstance(left, Items) else (right, left)
            if isinstance(items, Items) and isinstance(count, Known):
                if not isinstance(count.value, int):
                    return TENSOR  # a TypeError when it runs
                if items.size * max(count.value, 0) > MAX_ITEMS:
                    raise too_long(node, items.size * count.value)
                return self._items(node, items.items * count.value)
            raise Unbounded(node, "how long this becomes cannot be known before it runs")
        if name == "Mod" and isinstance(left, Known) and isinstance(right, Items):
            values = [v.value if isinstance(v, Known) else "" for v in right.items]
            return formatted(node, left.value, values)
        length = sum(
            value.length if isinstance(value, Run)
            else value.size if isinstance(value, Items)
            else len(str(value.value)) if isinstance(value, Known)
            else 1
            for value in (left, right)
        )  # fmt: skip
        if length > 4 * MAX_ITEMS:
            raise too_long(node, length)
        return Run(length) if name == "Add" else TENSOR

    def _unary(self, node: ast.UnaryOp, value: Value) -> Value:
        self._no_function(node, value)
        name = type(node.op).__name__
        if isinstance(value, Known):
            try:
                return Known(UNARY[name](value.value))
            except TypeError:
                return TENSOR
        return FLAG if name == "Not" else value

    def _compare(self, node: ast.Compare, scope: _Scope) -> Value:
        values = [self._eval(value, scope) for value in (node.left, *node.comparators)]
        if not all(isinstance(value, Known) for value in values):
            return FLAG
        result = True
        for op, left, right in zip(node.ops, values, values[1:], strict=False):
            try:
                result = COMPARISONS[type(op).__name__](left.value, right.value)
            except TypeError:
                return TENSOR
            if not result:
                break
        return Known(result)

    # Several possible values

    def _any_of(self, node: ast.AST, values: Sequence[Value]) -> Value:
        found = values[0]
        for value in values[1:]:
            found = self._either(node, found, value)
        return found

    def _either(self, node: ast.AST, left: Value, right: Value) -> Value:
        """What is known of a value that is one of two."""
        if left is right or (isinstance(left, Known) and left == right
                             and type(left.value) is type(right.value)):  # fmt: skip
            return left
        if _functions_in(left) or _functions_in(right):
            raise Unbounded(node, "which function this is depends on a condition",
                             "put the condition into the function")  # fmt: skip
        lengths = [length_of(value) for value in (left, right)]
        if any(length is not None for length in lengths):
            return Run(max(length or 0 for length in lengths))
        bits = [bits_of(value) for value in (left, right)]
        if any(count is not None for count in bits):
            return Number(max(count or 0 for count in bits))
        return SHAPE if isinstance(left, Shape) or isinstance(right, Shape) else TENSOR

    @staticmethod
    def _no_function(node: ast.AST, value: Value) -> None:
        if _functions_in(value):
            raise Unbounded(
                node,
                "a function may be called, named, passed to tf or returned, nothing else",
            )


def _or_tensor(value: Value | None) -> Value:
    return TENSOR if value is None else value


def _functions_in(value: Value) -> Sequence[_Function]:
    if isinstance(value, _Function):
        return (value,)
    return value.functions if isinstance(value, Items) else ()


def _tensorflow_name(node: ast.AST) -> str | None:
    """`nn.relu` for the node of `tf.nn.relu`; None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return ".".join(parts) if parts and isinstance(node, ast.Name) and node.id == "tf" else None


def _is_builtin(node: ast.AST, scope: _Scope) -> bool:
    # Names of builtins cannot be bound, so an unbound name that passed the list is one.
    return isinstance(node, ast.Name) and scope.find(node.id) is None


def _is_dtype(node: ast.AST) -> bool:
    """Whether it is np.float32 or its like; never object, in which numbers grow."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "np"
    )


def _parameters_read(node: ast.FunctionDef | ast.Lambda) -> set[int]:
    """The positions of the parameters that the function's body mentions."""
    body = node.body if isinstance(node.body, list) else [node.body]
    read = {n.id for part in body for n in ast.walk(part) if isinstance(n, ast.Name)}
    return {i for i, a in enumerate([*node.args.posonlyargs, *node.args.args]) if a.arg in read}


def _parameters_kept(node: ast.FunctionDef | ast.Lambda) -> set[int]:
    """The positions of the parameters that the function gives back as they came."""
    if isinstance(node.body, list):
        if len(node.body) != 1 or not isinstance(node.body[0], ast.Return):
            return set()
        result = node.body[0].value
    else:
        result = node.body
    items = result.elts if isinstance(result, ast.Tuple | ast.List) else [result]
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    return {
        i
        for i, (name, item) in enumerate(zip(names, items, strict=False))
        if isinstance(item, ast.Name) and item.id == name
    }
