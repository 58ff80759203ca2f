"""What the code of a case may say: kinds of syntax, names and attributes.

The text of a case is data from a stranger. Nothing is compiled or run before each of its
nodes was found in these tables.
"""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterable, Iterator

from gradparity.language import tf_names
from gradparity.language.code import Code, CodeProblem
from gradparity.language.problems import nearest


def words(text: str) -> frozenset[str]:
    """The words of a text, for tables of names."""
    return frozenset(text.split())


RESERVED = frozenset({"tf", "np", "ys", "xs", "feeds", "gradients"})
BUILTINS = words("abs bool enumerate float int len list max min range reversed sum tuple zip")

_STATEMENTS = (
    ast.Assign, ast.AugAssign, ast.Expr, ast.FunctionDef, ast.Return, ast.With, ast.If, ast.For,
    ast.Pass,
)  # fmt: skip
_EXPRESSIONS = (
    ast.Attribute, ast.BinOp, ast.BoolOp, ast.Call, ast.Compare, ast.Constant, ast.Dict,
    ast.IfExp, ast.Lambda, ast.List, ast.ListComp, ast.Name, ast.Slice, ast.Starred,
    ast.Subscript, ast.Tuple, ast.UnaryOp,
)  # fmt: skip

_INSTEAD: dict[str, str] = {
    "While": "use `for i in range(…)`, or tf.while_loop",
    "Import": "`tf` and `np` are there already",
    "ImportFrom": "`tf` and `np` are there already",
    "Try": "an expected error is written in the query: `raises: ValueError`",
    "TryStar": "an expected error is written in the query: `raises: ValueError`",
    "Raise": "an expected error is written in the query: `raises: ValueError`",
    "Assert": "a documented value is written in the query: `expect`",
    "GeneratorExp": "write a list: [… for … in …]",
    "SetComp": "write a list: [… for … in …]",
    "DictComp": "write a list: [… for … in …]",
    "JoinedStr": "write the text out, or 'w%d' % i",
    "NamedExpr": "assign on a line of its own",
    "AnnAssign": "assign without a type",
    "ClassDef": "write functions",
}
_SAID: dict[str, str] = {
    "While": "`while` loops",
    "Import": "imports",
    "ImportFrom": "imports",
    "Try": "`try`",
    "TryStar": "`try`",
    "ClassDef": "classes",
    "Global": "`global`",
    "Nonlocal": "`nonlocal`",
    "Delete": "`del`",
    "NamedExpr": "`:=`",
    "JoinedStr": "f-strings",
    "GeneratorExp": "generator expressions",
    "AsyncFunctionDef": "`async`",
    "AsyncFor": "`async`",
    "AsyncWith": "`async`",
    "Await": "`await`",
    "Yield": "`yield`",
    "YieldFrom": "`yield`",
}

NUMPY_CONSTANTS = words("e inf nan newaxis pi")
NUMPY_ARRAYS = words("arange array eye full linspace ones zeros")
NUMPY_DTYPES = words(
    "bool_ complex128 complex64 float16 float32 float64 int16 int32 int64 int8 "
    "uint16 uint32 uint64 uint8"
)
_NUMPY = NUMPY_CONSTANTS | NUMPY_ARRAYS | NUMPY_DTYPES

# Attributes of tensors, variables, shapes, dtypes, ops, graphs, optimizers, tensor arrays.
ATTRIBUTES = words("""
    T apply_gradients as_default as_list as_numpy_dtype assert_has_rank assert_is_compatible_with
    assign assign_add assign_sub average base_dtype close colocate_with compute_gradients concat
    consumers control_dependencies control_inputs count_up_to dense_shape device dims dtype
    finalize flat_values flow from_tensor gather get_attr get_shape get_slot get_slot_names
    get_tensor_by_name gradient gradient_override_map grad graph handle indices initial_value
    initialized_value initializer inputs is_compatible_with is_floating is_fully_defined
    is_integer max merge_with min minimize name name_scope ndims nested_row_splits num_elements
    op original_name_scope outputs rank read read_value real_dtype row_lengths row_splits
    scatter scatter_add scatter_nd_add scatter_nd_sub scatter_nd_update scatter_sub
    scatter_update set_shape shape size sparse_read split stack stop_recording to_list to_sparse
    to_tensor trainable type unstack value value_index value_rowids values variables watch
    with_rank with_values write
    """)
_CHAINED = frozenset({"shape", "dtype", "op"})  # objects of which an attribute is asked at once


def check(
    code: Code, known: Iterable[str], *, at_top: bool = True
) -> tuple[list[CodeProblem], list[str]]:
    """Finds all that the tables above do not allow.

    Args:
      code: statements or one expression.
      known: the names that are bound before it.
      at_top: whether its statements may bind names.

    Returns:
      The problems in the order of the text, and the names that the statements bind at the
      top level, in the order of their first binding.
    """
    checker = _Checker(code, known)
    if isinstance(code.tree, ast.Module):
        checker.block(code.tree.body)
    else:
        checker.expression(code.tree.body)
    # What the compiler alone refuses concerns arguments and parameters.
    if not checker.problems and ("(" in code.text or "lambda" in code.text):
        checker.compile()
    return sorted(checker.problems, key=lambda p: p.offset), checker.bound


def unusable_name(name: str) -> str:
    """Why `name` cannot be bound, or ""."""
    if not name.isidentifier() or keyword.iskeyword(name):
        return f"{name!r} is not a Python name"
    if name in RESERVED or name in BUILTINS:
        return f"the name {name!r} has a meaning of its own"
    if "__" in name:
        return f"the name {name!r} has two underscores in a row"
    return ""


class _Checker:
    def __init__(self, code: Code, known: Iterable[str]) -> None:
        self.problems: list[CodeProblem] = []
        self.bound: list[str] = []
        self._code = code
        self._scopes: list[set[str]] = [set(known)]
        self._in_function = 0

    def compile(self) -> None:
        """Finds what only the compiler refuses: `f(x=1, x=2)`, a doubled parameter."""
        try:
            compile(self._code.tree, "<graph>", self._mode())
        except SyntaxError as error:
            offset = self._code.starts[(error.lineno or 1) - 1] + max((error.offset or 1) - 1, 0)
            self.problems.append(CodeProblem(offset, f"not valid Python: {error.msg}"))
        except (RecursionError, MemoryError, ValueError, OverflowError) as error:
            self.problems.append(CodeProblem(0, f"cannot be compiled: {error}"))

    def _mode(self) -> str:
        return "exec" if isinstance(self._code.tree, ast.Module) else "eval"

    def _problem(self, node: ast.AST, message: str, hint: str = "") -> None:
        self.problems.append(CodeProblem(self._code.start(node), message, hint))

    # Statements

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if not isinstance(node, _STATEMENTS):
            self._forbidden(node)
            for name in sorted(_bound_anywhere(node)):  # so that one mistake is one problem
                self._declare(name)
            return
        if isinstance(node, ast.Assign):
            self.expression(node.value)
            for target in node.targets:
                self._bind(target)
        elif isinstance(node, ast.AugAssign):
            self.expression(node.value)
            if isinstance(node.target, ast.Name):
                self._name(node.target)
            self._bind(node.target)
        elif isinstance(node, ast.Expr):
            self.expression(node.value)
        elif isinstance(node, ast.FunctionDef):
            self._function(node)
        elif isinstance(node, ast.Return):
            if not self._in_function:
                self._problem(node, "`return` outside a function")
            if node.value is not None:
                self.expression(node.value)
        elif isinstance(node, ast.With):
            for item in node.items:
                self.expression(item.context_expr)
                if item.optional_vars is not None:
                    self._bind(item.optional_vars)
            self.block(node.body)
        elif isinstance(node, ast.If):
            self.expression(node.test)
            self.block(node.body)
            self.block(node.orelse)
        elif isinstance(node, ast.For):
            self.expression(node.iter)
            self._bind(node.target)
            self.block(node.body)
            if node.orelse:
                self._problem(node.orelse[0], "`else` after a loop is not allowed")

    def _function(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            self.expression(decorator)
        if getattr(node, "type_params", None) or node.returns is not None:
            self._problem(node, "types are not allowed", "write the function without them")
        self._parameters_and(node.args, lambda: self.block(node.body))
        self._declare(node.name, node)

    def _parameters_and(self, arguments: ast.arguments, body: object) -> None:
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.expression(default)
        self._scopes.append(set())
        self._in_function += 1
        extra = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]:
            if argument.annotation is not None:
                self._problem(argument, "types are not allowed", "write the name alone")
            self._declare(argument.arg, argument)
        assert callable(body)
        body()
        self._in_function -= 1
        self._scopes.pop()

    def _bind(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._declare(target.id, target)
        elif isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self._bind(item)
        else:
            what = {"Attribute": "an attribute", "Subscript": "an element"}.get(
                type(target).__name__, "this"
            )
            self._problem(target, f"assigning to {what} is not allowed", "assign to names")

    def _declare(self, name: str, node: ast.AST | None = None) -> None:
        reason = unusable_name(name)
        if reason and node is not None:
            self._problem(node, reason, "choose another")
        self._scopes[-1].add(name)
        if len(self._scopes) == 1 and name not in self.bound:
            self.bound.append(name)

    # Expressions

    def expression(self, node: ast.expr) -> None:
        if not isinstance(node, _EXPRESSIONS):
            self._forbidden(node)
        elif isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Lambda):
            self._parameters_and(node.args, lambda: self.expression(node.body))
        elif isinstance(node, ast.ListComp):
            self._comprehension(node)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.keyword):
                    self.expression(child.value)
                elif isinstance(child, ast.expr):
                    self.expression(child)

    def _comprehension(self, node: ast.ListComp) -> None:
        self._scopes.append(set())
        for generator in node.generators:
            self.expression(generator.iter)
            self._bind(generator.target)
            for condition in generator.ifs:
                self.expression(condition)
        self.expression(node.elt)
        self._scopes.pop()

    def _name(self, node: ast.Name) -> None:
        name = node.id
        if name in ("tf", "np"):
            self._problem(node, f"{name!r} alone is not a value", f"use a name of it: {name}.…")
        elif any(name in scope for scope in self._scopes) or name in BUILTINS:
            return
        elif "__" in name:
            self._problem(node, f"the name {name!r} is not allowed", "names with __ are Python's")
        elif name in _bound_anywhere(self._code.tree):
            self._problem(node, f"{name!r} is used before it is bound", "bind it further up")
        else:
            known = set().union(*self._scopes) | BUILTINS
            hint = nearest(name, known)
            if not hint and hasattr(builtins, name):
                hint = f"of Python's own functions there are: {', '.join(sorted(BUILTINS))}"
            self._problem(node, f"unknown name {name!r}", hint)

    def _attribute(self, node: ast.Attribute) -> None:
        parts, root = [node.attr], node.value
        while isinstance(root, ast.Attribute):
            parts.insert(0, root.attr)
            root = root.value
        hidden = next((part for part in parts if "__" in part or part.startswith("_")), None)
        if hidden is not None:
            self._problem(node, f"the attribute {hidden!r} is not allowed", "it is Python's own")
        elif isinstance(root, ast.Name) and root.id == "tf":
            self._tensorflow_name(node, parts)
        elif isinstance(root, ast.Name) and root.id == "np":
            self._numpy_name(node, parts)
        else:
            found = len(self.problems)
            self.expression(root)
            if len(self.problems) == found:
                self._object_attributes(node, parts)

    def _tensorflow_name(self, node: ast.Attribute, parts: list[str]) -> None:
        allowed = tf_names.allowed()
        for length in range(len(parts), 0, -1):
            if ".".join(parts[:length]) in allowed:
                self._object_attributes(node, parts[length:])
                return
        name = ".".join(parts)
        for length in range(1, len(parts) + 1):
            reason = tf_names.reason_against(".".join(parts[:length]))
            if reason:
                self._problem(node, f"tf.{name} is not allowed: {reason}")
                return
        if name in tf_names.modules():
            self._problem(node, f"tf.{name} is a module", f"use a name of it: tf.{name}.…")
            return
        hint = nearest(f"tf.{name}", (f"tf.{other}" for other in allowed))
        self._problem(node, f"unknown name tf.{name}", hint)

    def _numpy_name(self, node: ast.Attribute, parts: list[str]) -> None:
        if parts[0] not in _NUMPY or len(parts) > 1:
            self._problem(
                node,
                f"np.{'.'.join(parts)} is not allowed: np is for constants, dtypes and arrays",
                nearest(f"np.{parts[0]}", (f"np.{name}" for name in _NUMPY))
                or f"there are: {', '.join(sorted(_NUMPY))}",
            )

    def _object_attributes(self, node: ast.Attribute, parts: list[str]) -> None:
        for part in parts:
            if part not in ATTRIBUTES:
                hint = nearest(part, ATTRIBUTES)
                self._problem(node, f"the attribute {part!r} is not on the list of a case", hint)
                return
        for part in parts[:-1]:
            if part not in _CHAINED:
                hint = f"bind the object's .{part} to a name first"
                self._problem(node, f"a chain of attributes: {'.'.join(parts)}", hint)
                return

    def _forbidden(self, node: ast.AST) -> None:
        kind = type(node).__name__
        said = _SAID.get(kind, f"`{kind.lower()}`")
        self._problem(node, f"{said} are not allowed" if said.endswith("s") else
                      f"{said} is not allowed", _INSTEAD.get(kind, ""))  # fmt: skip


def _bound_anywhere(tree: ast.AST) -> set[str]:
    return set(_stored_names(tree))


def _stored_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
