"""OpDef: an op's signature, static shape, kernel and gradient, in one block.

An op is a class body under `@op`, named as TensorFlow registers it:

    @op("x: T -> y: T", T=INEXACT)
    class Exp:
        kernel = np.exp

        def gradient(op, grad):
            return grad * conj(op.outputs[0])

and the name `Exp` is then what makes such operations: `Exp(x)` adds one to the graph and
returns its output.

The signature names inputs and outputs with their types: an attribute (`x: T`), a fixed
type (`axis: int32`), a list of one type (`values: N*T`), a list of any types
(`inputs: [T]`), or a reference (`ref: Ref(T)`); `dim as axis: T` is called `axis` by
`tf.raw_ops` alone. The keywords of `@op` give each type
attribute its allowed dtypes (`dtypes.Types` with a default, where it has one) and every other
attribute its default, or `REQUIRED`.

The block may define:

  shape(op): static shape of the output, or a list of them where there are several or a list
      of outputs; by default that of the first input. `op.inputs` and `op.attrs` are there,
      `op.outputs` not yet.
  kernel(*inputs, attribute=…): arrays (or NumPy scalars) in, array out, or a tuple for more
      than one output. It is given those attributes that it has keyword-only parameters for,
      and of these three as well: `op` (the operation), `state` (the session's variables
      and random streams) and `dtype` (NumPy's type of the first output).
  bind(op, state, needed): in place of a kernel, makes one for an operation and session, given
      for each output whether it is needed; for ops that run subgraphs.
  ref_inputs(op): for each input whether its reference is taken, where that depends on `op`.
  gradient(op, *grads): TensorFlow's calling convention. It must be said one way or the
      other: a function, NOT_DIFFERENTIABLE (gradients are None), or NO_GRADIENT (asking
      for one is a LookupError).
  stateful: True when two operations with equal inputs may differ.
  elementwise: True when each element of the output depends on the same element of each input,
      and so the kernel may be given the inputs piece by piece; of NumPy's ufuncs it is known.
  runs_in: the dtypes of the first input for which TensorFlow's CPU has a kernel, where the
      signature allows more: of another the run is refused, and only the run.
"""

import functools
import inspect
import re

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export_as
from numpy_tf.framework.graph import Operation, Tensor, _state, graph_of

NOT_DIFFERENTIABLE = "NOT_DIFFERENTIABLE"
NO_GRADIENT = "NO_GRADIENT"


class _Required:
    def __repr__(self):
        return "REQUIRED"


REQUIRED = _Required()


OPS = {}  # op type -> OpDef
GRADIENTS = {}  # op type or name given to RegisterGradient -> function, or None: not differentiable

_SIGNATURE_ITEM = re.compile(
    r"(?P<name>\w+)(?: as (?P<keyword>\w+))?: "
    r"(?:(?P<number>\w+)\*)?(?P<open>\[|Ref\()?(?P<type>\w+)[\])]?"
)


class Argument:
    """One input or output of a signature.

    Attributes:
      name: its name, below which what is converted for it is named.
      keyword: what `tf.raw_ops` calls it, which for a few ops is not the same.
      fixed: its dtype when the signature fixes it, else None.
      type_attr: the attribute that holds its dtype, or its list of dtypes, else None.
      number_attr: the attribute that holds how many tensors it is, or None for one.
      is_list: whether it stands for several tensors.
      mixed: whether those may differ in dtype.
      is_ref: whether it takes the reference itself rather than its value.
    """

    __slots__ = (
        "fixed",
        "is_list",
        "is_ref",
        "keyword",
        "mixed",
        "name",
        "number_attr",
        "type_attr",
    )

    def __init__(self, text):
        match = _SIGNATURE_ITEM.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"not a signature item: {text!r}")
        self.name = match["name"]
        self.keyword = match["keyword"] or match["name"]
        self.number_attr = match["number"]
        self.mixed = match["open"] == "["
        self.is_ref = match["open"] == "Ref("
        self.is_list = self.mixed or self.number_attr is not None
        self.fixed = dtypes._BY_NAME.get(match["type"])
        self.type_attr = None if self.fixed is not None else match["type"]


def _arguments(text):
    return tuple(Argument(item) for item in text.split(",") if item.strip())


def op(signature, public=None, **attrs):
    """Decorator: makes an `OpDef` of a class body; see the module's docstring.

    Args:
      signature: "x: T, y: T -> z: T".
      public: dotted names under `tf.` for ops that TensorFlow publishes as they are.
      **attrs: type attributes (a set of allowed dtypes) and other attributes' defaults.
    """

    def define(block):
        definition = OpDef(block, signature, attrs)
        if public:
            export_as(definition, *public.split(", "))
        return definition

    return define


def _first_input_shape(op):
    return op.inputs[0].dims


class OpDef:
    """One op type; calling it adds an operation to the graph.

    Attributes:
      name: the op type.
      inputs, outputs: tuples of `Argument`.
      shape, kernel: as the block says.
      stateful, elementwise, runs_in: as the block says.
      kernel_attrs: the keyword-only parameters of the kernel.
      depends_on_inputs_alone: whether equal inputs always give equal outputs.
    """

    def __init__(self, block, signature, attrs):
        self.name = self.__name__ = block.__name__
        if self.name in OPS:
            raise ValueError(f"op {self.name} is defined twice")
        self.__doc__ = block.__doc__
        self.__module__ = block.__module__
        body = vars(block)
        before, _, after = signature.partition("->")
        self.inputs = _arguments(before)
        self.outputs = _arguments(after)
        self.allowed = {n: v for n, v in attrs.items() if isinstance(v, (set, frozenset))}
        self.defaults = {n: v for n, v in attrs.items() if n not in self.allowed}
        by_input = {argument.type_attr for argument in self.inputs}
        self._preferred = {}
        for name, allowed in self.allowed.items():
            if isinstance(allowed, dtypes.Types):
                defaults = self._preferred if name in by_input else self.defaults
                defaults[name] = allowed.default
        self.shape = body.get("shape", _first_input_shape)
        self.kernel = body.get("kernel")
        if isinstance(self.kernel, staticmethod):
            self.kernel = self.kernel.__func__
        self.bind = body.get("bind")
        self.runs_in = body.get("runs_in")
        self._ref_inputs = body.get("ref_inputs")
        self.stateful = body.get("stateful", False)
        self.kernel_attrs = _keyword_only(self.kernel)
        self.elementwise = body.get("elementwise", isinstance(self.kernel, np.ufunc))
        self.depends_on_inputs_alone = (
            not self.stateful and self.bind is None and "state" not in self.kernel_attrs
        )
        self._set_gradient(body)
        self._takes_ref = any(argument.is_ref for argument in self.inputs)
        # Most ops take single tensors of one type attribute and have nothing else to
        # settle: their attributes and output dtypes depend on that dtype alone.
        self._arity = len(self.inputs)
        self._single_output = len(self.outputs) == 1 and not self.outputs[0].is_list
        self._plain = (
            bool(self.inputs)
            and not any(a.is_list or a.is_ref for a in self.inputs)
            and len({a.type_attr for a in self.inputs}) == 1
            and self.inputs[0].type_attr is not None
            and set(self.allowed) == {self.inputs[0].type_attr}
            and REQUIRED not in self.defaults.values()
            and not any(a.is_list for a in self.outputs)
        )
        # The same of one list of tensors: how many they are matters as well.
        self._plain_list = (
            len(self.inputs) == 1
            and self.inputs[0].number_attr is not None
            and set(self.allowed) == {self.inputs[0].type_attr}
            and set(self.defaults) == {self.inputs[0].number_attr}
            and self._single_output
        )
        self._by_dtype = {}
        OPS[self.name] = self

    def _set_gradient(self, body):
        gradient = body.get("gradient")
        if gradient is None:
            raise ValueError(f"op {self.name} must say whether it has a gradient")
        if gradient == NOT_DIFFERENTIABLE:
            GRADIENTS[self.name] = None
        elif gradient != NO_GRADIENT:
            GRADIENTS[self.name] = gradient

    def __repr__(self):
        return f"<op {self.name}>"

    def __call__(self, *inputs, name=None, **attrs):
        """Adds an operation.

        Args:
          *inputs: in the order of the signature; what is not a tensor is converted. A
            list argument is given as one list.
          name: the operation's name, by default the op type.
          **attrs: attributes, by default those of the definition.

        Returns:
          The output; a list of outputs where the signature has a list or several; the
          operation itself when it has none.

        Raises:
          TypeError: for a dtype that the op does not take.
          ValueError: for shapes that do not fit, or tensors of different graphs.
        """
        if self._plain and not attrs and len(inputs) == self._arity:
            first = inputs[0]
            if first.__class__ is Tensor:
                settled = self._by_dtype.get(first.dtype)
                if settled is not None:
                    graph, dtype = _state.graphs[-1], first.dtype
                    if _are_alike(inputs, dtype, graph):
                        return self._add(graph, inputs, settled[0], settled[1], name)
        elif self._plain_list and not attrs and len(inputs) == 1 and inputs[0].__class__ is list:
            tensors = inputs[0]
            if tensors and tensors[0].__class__ is Tensor:
                graph, dtype = _state.graphs[-1], tensors[0].dtype
                settled = self._by_dtype.get((dtype, len(tensors)))
                if settled is not None and _are_alike(tensors, dtype, graph):
                    return self._add(graph, tuple(tensors), settled[0], settled[1], name)
        return self._settle(inputs, name, attrs)

    # -- the common path: nothing left to settle -----------------------------------------

    def _add(self, graph, inputs, attrs, output_dtypes, name):
        if not name:
            name = graph.unique_name(self.name)
        elif name[-1] == "/":
            name = name[:-1]
        else:
            graph.check_scope_name(name)
            name = graph.unique_name(name)
        if graph.current_attrs is not None or graph.gradient_overrides:
            attrs = self._with_context_attrs(graph, attrs)
        operation = Operation(graph, self, name, inputs, attrs)
        dims = self._infer(operation)
        if self._single_output:
            result = Tensor(operation, 0, output_dtypes[0], dims)
            operation.made = result
        else:
            result = [Tensor(operation, i, dtype, dims[i]) for i, dtype in enumerate(output_dtypes)]
            operation.made = tuple(result)
            if not self.outputs:
                result = operation
        graph.add(operation)
        for tensor in inputs:
            tensor.add_consumer(operation)
        return result

    def _infer(self, operation):
        try:
            return self.shape(operation)
        except ValueError as error:
            if "for '{{node" in str(error):
                raise
            shapes = ", ".join(
                "?" if t.dims is None else str(list(t.dims)).replace("None", "?").replace(" ", "")
                for t in operation.inputs
            )
            message = str(error).partition(" with input shapes: ")[0].rstrip(".")
            raise ValueError(
                f"{message} for '{{{{node {operation.name}}}}} = {self.name}[](…)' "
                f"with input shapes: {shapes}."
            ) from None

    def _with_context_attrs(self, graph, attrs):
        attrs = dict(attrs)
        if graph.current_attrs is not None:
            attrs.update(graph.current_attrs)
        for overrides in graph.gradient_overrides:
            if self.name in overrides:
                attrs["_gradient_op_type"] = overrides[self.name]
        return attrs

    # -- the general path ----------------------------------------------------------------

    def _settle(self, inputs, name, attrs):
        """Converts inputs, settles attributes and output dtypes, and adds the operation."""
        if len(inputs) != len(self.inputs):
            inputs, name, attrs = self._bound(inputs, name, attrs)
        graph = graph_of(_tensors_in(inputs))
        settled = {**self.defaults, **attrs}
        for attribute in attrs:
            if attribute not in self.defaults and attribute not in self.allowed:
                raise TypeError(f"{self.name} got an unexpected keyword argument '{attribute}'")
        for attribute in self.allowed:
            if attribute in attrs and attrs[attribute] is not None:
                settled[attribute] = self._checked_type(attribute, attrs[attribute], attribute)
        scope = _OperationScope(graph, name, self.name)
        flat = []
        with scope:
            for argument, value in zip(self.inputs, inputs, strict=True):
                self._take(argument, value, settled, flat)
        if graph.building_function:
            flat = [graph.capture(tensor) for tensor in flat]
        else:
            graph_of(flat)
        for attribute, value in settled.items():
            if value is REQUIRED:
                raise TypeError(f"{self.name} misses the attribute '{attribute}'")
        output_dtypes = tuple(self._output_dtypes(settled))
        if not attrs:
            if self._plain:
                self._by_dtype[settled[self.inputs[0].type_attr]] = (settled, output_dtypes)
            elif self._plain_list:
                key = (settled[self.inputs[0].type_attr], len(flat))
                self._by_dtype[key] = (settled, output_dtypes)
        return self._add(graph, tuple(flat), settled, output_dtypes, scope.operation_name())

    def _bound(self, inputs, name, attrs):
        """A call as of a Python function: inputs by keyword, attributes and the name by place."""
        names = [argument.keyword for argument in self.inputs]
        parameters = [*names, *self.defaults, "name"]
        given = dict(zip(parameters, inputs, strict=False))
        by_keyword = attrs if name is None else {**attrs, "name": name}
        both = [parameter for parameter in given if parameter in by_keyword]
        given.update(by_keyword)
        missing = [argument for argument in names if argument not in given]
        if both or missing or len(inputs) > len(parameters):
            raise TypeError(
                f"{self.name} takes {len(names)} inputs ({', '.join(names)}), got {len(inputs)}"
            )
        inputs = [given.pop(argument) for argument in names]
        return inputs, given.pop("name", None), given

    def _take(self, argument, value, settled, flat):
        if not argument.is_list:
            flat.append(self._converted(argument, value, settled))
            return
        if not isinstance(value, (list, tuple)):
            raise TypeError(
                f"Expected list for '{argument.name}' argument to '{self.name}' Op, not {value!r}."
            )
        if argument.mixed:
            tensors = [convert_to_tensor(item) for item in value]
            settled[argument.type_attr] = [t.dtype.base_dtype for t in tensors]
        else:
            known = (
                settled.get(argument.type_attr)
                or argument.fixed
                or next(
                    (
                        item.dtype.base_dtype
                        for item in value
                        if hasattr(item, "dtype") and isinstance(item.dtype, dtypes.DType)
                    ),
                    None,
                )
            )
            earlier = argument.type_attr is None or argument.type_attr in settled
            if known is not None and argument.type_attr:
                settled[argument.type_attr] = self._checked_type(
                    argument.type_attr, known, argument.name
                )
            try:
                tensors = [
                    self._converted(argument, item, settled, f"{argument.name}_{i}")
                    for i, item in enumerate(value)
                ]
            except (TypeError, ValueError):
                raise self._list_mismatch(argument, value, known if earlier else None) from None
            settled[argument.number_attr] = len(tensors)
        flat.extend(tensors)

    def _list_mismatch(self, argument, value, wanted):
        found = ", ".join(map(_dtype_name, value))
        prefix = f"Tensors in list passed to '{argument.name}' of '{self.name}' Op have types"
        if wanted is None:
            return TypeError(f"{prefix} [{found}] that don't all match.")
        if argument.type_attr is None:
            return TypeError(f"{prefix} [{found}] that do not match expected type {wanted.name}.")
        return TypeError(
            f"{prefix} [{found}] that do not match type {wanted.name} "
            "inferred from earlier arguments."
        )

    def _converted(self, argument, value, settled, name=None):
        """One input as a tensor, its dtype settled or checked."""
        name = name or argument.name
        attribute = argument.type_attr
        wanted = argument.fixed if attribute is None else settled.get(attribute)
        if argument.is_ref:
            tensor = convert_to_tensor(value, as_ref=True)
            if not tensor.dtype.is_ref:
                raise TypeError(
                    f"'{self.name}' Op requires that input '{argument.name}' be a mutable tensor "
                    "(e.g.: a tf.Variable)"
                )
        elif isinstance(value, Tensor):
            tensor = value
        elif wanted is not None:
            try:
                tensor = convert_to_tensor(value, wanted, name)
            except (TypeError, ValueError) as error:
                found = getattr(getattr(value, "dtype", None), "name", None)
                if found is None:
                    raise
                raise self._mismatch(argument, found, wanted, settled) from error
        else:
            preferred = self._preferred.get(attribute)
            tensor = convert_to_tensor(value, name=name, preferred_dtype=preferred)
        dtype = tensor.dtype.base_dtype
        if wanted is None:
            settled[attribute] = self._checked_type(attribute, dtype, argument.name)
        elif dtype is not wanted:
            raise self._mismatch(argument, dtype.name, wanted, settled)
        return tensor

    def _mismatch(self, argument, found, wanted, settled):
        if argument.type_attr is None:
            expected = f"expected type of {wanted.name}"
        else:
            others = [
                a.name
                for a in self.inputs
                if a.type_attr == argument.type_attr and a is not argument
            ]
            reference = f" of argument '{others[0]}'" if others else ""
            expected = f"type {wanted.name}{reference}"
        return TypeError(
            f"Input '{argument.name}' of '{self.name}' Op has type {found} "
            f"that does not match {expected}."
        )

    def _checked_type(self, attribute, dtype, argument_name):
        dtype = dtypes.as_dtype(dtype).base_dtype
        allowed = self.allowed[attribute]
        if dtype not in allowed:
            names = ", ".join(sorted(d.name for d in allowed))
            raise TypeError(
                f"Value passed to parameter '{argument_name}' has DataType {dtype.name} "
                f"not in list of allowed values: {names}"
            )
        return dtype

    def _output_dtypes(self, settled):
        for argument in self.outputs:
            dtype = argument.fixed or settled[argument.type_attr]
            if argument.mixed:
                yield from dtype
            elif argument.number_attr is not None:
                yield from [dtype] * settled[argument.number_attr]
            else:
                yield dtype.ref if argument.is_ref else dtype

    # -- for the session -----------------------------------------------------------------

    def ref_inputs(self, operation):
        """For each flat input, whether the op takes the reference itself."""
        if self._ref_inputs is not None:
            return self._ref_inputs(operation)
        if not self._takes_ref:
            return (False,) * len(operation.inputs)
        return tuple(argument.is_ref for argument in self.inputs)

    def bound_kernel(self, operation, state, needed=None):
        """The kernel with the attributes that it asks for filled in.

        Args:
          operation: the operation that it computes.
          state: the session's variables and random streams.
          needed: for each output whether anything takes it; for a `bind`.

        Raises:
          InvalidArgumentError: for a dtype that the op does not run in.
        """
        kernel = self.kernel
        if self.runs_in is not None and operation.inputs[0].dtype.base_dtype not in self.runs_in:
            raise errors.no_kernel(operation)
        if self.bind is not None:
            return self.bind(operation, state, needed)
        if not self.kernel_attrs:
            return kernel
        given = {"op": operation, "state": state}
        if "dtype" in self.kernel_attrs and "dtype" not in operation.attrs:
            given["dtype"] = np.dtype(operation.outputs[0].dtype.as_numpy_dtype)
        keywords = {
            name: given[name] if name in given else operation.attrs[name]
            for name in self.kernel_attrs
        }
        return functools.partial(kernel, **keywords)


def _dtype_name(value):
    """The dtype that a value has as a tensor, in the words of TensorFlow's messages."""
    try:
        return convert_to_tensor(value).dtype.base_dtype.name
    except (TypeError, ValueError):
        return "<NOT CONVERTIBLE TO TENSOR>"


class _OperationScope:
    """The name scope of one operation: its converted inputs are named below it."""

    __slots__ = ("_default", "_graph", "_name", "_outer", "_used")

    def __init__(self, graph, name, default):
        self._graph = graph
        self._name = name
        self._default = default
        self._used = None

    def __enter__(self):
        name = self._name or self._default
        graph = self._graph
        self._outer = graph.scope
        if name[-1] != "/":
            graph.check_scope_name(name)
            name = graph.unique_name(name) + "/"
        self._used = graph.scope = name
        _state.graphs.append(graph)

    def __exit__(self, *_):
        _state.graphs.pop()
        self._graph.scope = self._outer

    def operation_name(self):
        """The name for the operation itself, to be taken as it is."""
        return self._used


def _are_alike(tensors, dtype, graph):
    for tensor in tensors:
        if tensor.__class__ is not Tensor or tensor.dtype is not dtype or tensor.graph is not graph:
            return False
    return True


def _keyword_only(kernel):
    if kernel is None or isinstance(kernel, np.ufunc):
        return ()
    try:
        parameters = inspect.signature(kernel).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty)


def _tensors_in(inputs):
    for value in inputs:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors_in(value)
        else:
            element = getattr(value, "_as_graph_element", None)
            if element is not None:
                yield element()
