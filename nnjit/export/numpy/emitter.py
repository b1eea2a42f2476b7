"""Write the nodes of a graph as lines of NumPy."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnjit.errors import GraphError
from nnjit.export.broadcasting import joint, kept_axes, table_lookup, with_axes
from nnjit.export.numpy.helpers import HELPERS
from nnjit.export.numpy.rows import ATOM, CALL, ELEMENTWISE, PRODUCT
from nnjit.export.numpy.text import Text, as_matrix, axes_of, dtype_name, flat_record, literal
from nnjit.export.python_source import identifier
from nnjit.ir import B, Node, Shape
from nnjit.ir.graph import constant_p, consumers
from nnjit.primitives.scan import Loop

WIDTH = 90
LONGEST = 60  # characters of an expression without a name
TAKEN = {"np", "n", "t", "x", "math", "ARRAYS", *HELPERS}
# fmt: off
WORDS = {  # primitive -> a better name for its value than its own
    "matmul": "product", "batch_matmul": "product", "add": "total", "sub": "difference", "mul": "scaled",
    "div": "ratio", "select": "chosen", "concat": "joined", "transpose": "turned", "reshape": "shaped",
    "cast": "number", "exp": "e", "less": "is_less", "equal": "is_equal", "not_equal": "differs",
    "slice": "part", "gather": "found", "reduce_max": "largest", "reduce_min": "least", "reduce_sum": "sums",
    "windows": "seen", "neg": "negated", "scan": "record", "relu": "positive", "abs": "size",
}
# fmt: on


@dataclass
class Shared:
    """State shared by the functions of a file.

    Args:
        arrays: the file's arrays by name.
        helpers: the called functions that NumPy lacks.
        array_names: the graph's input of each array -> its name.
    """

    array_names: Mapping[Node, str]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)


@dataclass
class Emitter:
    """Writes the body of one function, or of a loop in it.

    Args:
        scope: the name of the layer.
        nodes: those to write; others are written too if one of these needs them.
        kept: nodes that need their own names.
        rows: an expression for the number of rows; None if nothing here has rows.
        loads: the file's arrays that are read, with their names here.
    """

    shared: Shared
    scope: str
    nodes: Sequence[Node]
    kept: Collection[Node]
    rows: str | None
    values: dict[Node, Text] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    loads: dict[str, str] = field(default_factory=dict)
    needs_rows: bool = False

    def __post_init__(self) -> None:
        self._users = consumers(self.nodes)

    def write(self) -> None:
        """Write all nodes."""
        for node in self.nodes:
            self.value(node)

    def value(self, node: Node) -> Text:
        """The expression of a node, which is written if it has not been yet."""
        if node not in self.values:
            self.values[node] = self._written(node)
        return self.values[node]

    def whole(self, node: Node) -> Text:
        """The same with its whole shape."""
        text = self.value(node)
        literal = self._typed(text, node)
        if text.shape == node.shape:
            return literal
        if text.shape == () and text.is_literal and text.code in ("0", "0.0"):
            zeros = f"np.zeros({self.shape(node.shape)}, {dtype_name(node)})"
            return Text(zeros, CALL, node.shape)
        return Text(f"np.broadcast_to({literal.code}, {self.shape(node.shape)})", CALL, node.shape)

    def shape(self, shape: Shape) -> str:
        """A shape as a tuple, with the number of rows."""
        self.needs_rows |= B in shape
        if B in shape and self.rows is None:
            raise GraphError(f'layer "{self.scope}": nothing here has a number of rows')
        parts = [self.rows if d is B else str(d) for d in shape]
        return f"({', '.join(map(str, parts))}{',' * (len(parts) == 1)})"

    def name(self, wanted: str) -> str:
        """A new name for a value."""
        name, count = identifier(wanted), 2
        while name in self.names or name in TAKEN:
            name, count = f"{identifier(wanted)}_{count}", count + 1
        self.names.add(name)
        return name

    def argument(self, text: Text, binding: int) -> str:
        """An expression as an operand of one that binds as tightly as `binding`."""
        return text.code if binding == CALL or text.binding >= binding else f"({text.code})"

    def _written(self, node: Node) -> Text:
        if node in self.shared.array_names:
            return self._array(self.shared.array_names[node], None)
        if node.primitive is constant_p:
            return self._constant(node)
        text = self._expression(node)
        if text.is_literal:  # a name would have its own type
            return text
        is_cheap = text.code.isidentifier() or node.primitive.name in ("broadcast", "slice", "reshape")
        users = len(self._users.get(node, ()))
        if node not in self.kept and (users <= 1 or is_cheap) and len(text.code) <= LONGEST:
            return text
        name = self.name(WORDS.get(node.primitive.name, node.primitive.name))
        self.lines.append(f"{name} = {text.code}")
        return Text(name, ATOM, text.shape)

    def _expression(self, node: Node) -> Text:
        kind = node.primitive.name
        if kind in ELEMENTWISE:
            return self._elementwise(node)
        if kind not in MOVING:
            raise GraphError(f'layer "{self.scope}": the primitive {kind} cannot be written with NumPy')
        return MOVING[kind](self, node)

    def _elementwise(self, node: Node) -> Text:
        row, texts = ELEMENTWISE[node.primitive.name], [self.value(n) for n in node.inputs]
        shape = joint([text.shape for text in texts])
        if row.helper:
            self.shared.helpers.add(row.helper)
            texts = [self._typed(t, n) for t, n in zip(texts, node.inputs, strict=True)]
        own = [k for k, n in enumerate(node.inputs) if node.primitive.name != "select" or k > 0]
        if all(texts[k].is_literal for k in own):
            texts[own[0]] = self._typed(texts[own[0]], node.inputs[own[0]])
        if node.primitive.name == "cast":
            base = self.argument(self._typed(texts[0], node.inputs[0]), ATOM)
            return Text(f"{base}.astype({dtype_name(node)})", CALL, shape)
        parts = [self.argument(text, row.binding + (k > 0)) for k, text in enumerate(texts)]
        if row.binding == CALL:
            parts = [text.code for text in texts]
        code = row.expression.format(*parts)
        return Text(code, texts[0].binding if row.expression == "{0}" else row.binding, shape)

    def _typed(self, text: Text, node: Node) -> Text:
        if not text.is_literal:
            return text
        return Text(f"{dtype_name(node)}({text.code})", CALL, text.shape)

    def _constant(self, node: Node) -> Text:
        array = node.params["value"].array
        if array.ndim == 0:
            return Text(literal(array[()]), ATOM, (), is_literal=True)
        return self._array(f"{self.scope}.constant", array)

    def _array(self, wanted: str, array: np.ndarray | None) -> Text:
        """The name here of an array of the file; of a new one if `array` is not None."""
        full = wanted
        if array is not None:
            count = 1
            while full in self.shared.arrays:
                full, count = f"{wanted}_{count + 1}", count + 1
            self.shared.arrays[full] = array
        if full not in self.loads:
            self.loads[full] = self.name(full.removeprefix(f"{self.scope}."))
        node = next((n for n, own in self.shared.array_names.items() if own == full), None)
        shape = array.shape if array is not None else node.shape if node is not None else ()
        return Text(self.loads[full], ATOM, shape)

    # -- moving elements, and products

    def post(self, node: Node, code: str) -> Text:
        """The first argument as a whole, followed by a method or an index."""
        return Text(f"{self.argument(self.whole(node.inputs[0]), ATOM)}{code}", ATOM, node.shape)

    def called(self, node: Node, code: str) -> Text:
        """A call with all arguments as wholes in the places of `{0}`, …"""
        return Text(code.format(*(self.whole(n).code for n in node.inputs)), CALL, node.shape)

    def helped(self, node: Node, name: str, **options: object) -> Text:
        """A call of a function that NumPy lacks."""
        self.shared.helpers.add(name)
        words = "".join(f", {key}={value}" for key, value in options.items())
        arguments = ", ".join(self.whole(n).code for n in node.inputs)
        return Text(f"{name}({arguments}{words})", CALL, node.shape)

    def broadcast(self, node: Node) -> Text:
        text = self.value(node.inputs[0])
        axes = kept_axes(text.shape, node)
        if None not in axes:
            return text
        index = ", ".join("None" if axis is None else ":" for axis in axes)
        return Text(f"{self.argument(text, ATOM)}[{index}]", ATOM, with_axes(text.shape, axes))

    def reshape(self, node: Node) -> Text:
        shape = ["-1" if d is B else str(d) for d in node.shape]
        argument = node.inputs[0]
        if node.shape[:-1] == argument.shape and node.shape[-1:] == (1,):
            return self.post(node, "[..., None]")
        return self.post(node, f".reshape({', '.join(shape) or '()'})")

    def slice(self, node: Node) -> Text:
        pairs = zip(node.params["starts"], node.shape, node.inputs[0].shape, strict=True)
        parts = [":" if length in (size, B) else f"{start}:{start + length}" for start, length, size in pairs]
        while parts and parts[-1] == ":":
            del parts[-1]
        return self.post(node, f"[{', '.join(parts)}]") if parts else self.whole(node.inputs[0])

    def matmul(self, node: Node) -> Text:
        a, b = (self.whole(n) for n in node.inputs)
        left, right = self.argument(a, PRODUCT), self.argument(b, ATOM)
        if node.params["ta"]:
            left = f"{as_matrix(self.argument(a, ATOM), node.inputs[0])}.T"
        right = as_matrix(right, node.inputs[1])
        code = f"{left} @ {right}{'.T' * node.params['tb']}"
        if node.params["ta"] and len(node.shape) != 2:
            return Text(f"({code}).reshape{self.shape(node.shape)}", ATOM, node.shape)
        return Text(code, PRODUCT, node.shape)

    def batch_matmul(self, node: Node) -> Text:
        parts = [self.argument(self.whole(n), ATOM) for n in node.inputs]
        flags = (node.params["ta"], node.params["tb"])
        left, right = (f"{p}.swapaxes(-1, -2)" if f else p for p, f in zip(parts, flags, strict=True))
        return Text(f"{left} @ {right}", PRODUCT, node.shape)

    def gather(self, node: Node) -> Text:
        if (found := table_lookup(node)) is not None:
            table, index = (self.whole(n) for n in found)
            return Text(f"{self.argument(table, ATOM)}[{index.code}]", CALL, node.shape)
        return self.called(node, f"np.take_along_axis({{0}}, {{1}}, {node.params['axis']})")

    def concat(self, node: Node) -> Text:
        parts, axis = [self.whole(n).code for n in node.inputs], f"axis={node.params['axis']}"
        code = f"np.concatenate([{', '.join(parts)}], {axis})"
        if len(code) > WIDTH:
            lines = ["np.concatenate(", "    [", *(f"        {part}," for part in parts), "    ],"]
            code = "\n".join([*lines, f"    {axis},", ")"])
        return Text(code, CALL, node.shape)

    def scan(self, node: Node) -> Text:
        """A loop over the steps; its value is the record, flat for each step or for the last alone."""
        loop = Loop(**node.params)
        arguments = [self.whole(n) for n in node.inputs]
        ends = loop.constants + loop.carried
        inner = Emitter(self.shared, self.scope, loop.body.nodes, set(loop.body.outputs), self.rows)
        inner.names, inner.loads = self.names, self.loads
        inner.values = dict(zip(loop.fixed, arguments[: loop.constants], strict=True))
        states = [self.name(f"state_{k + 1}" if loop.carried > 1 else "state") for k in range(loop.carried)]
        for name, body, text in zip(states, loop.before, arguments[loop.constants : ends], strict=True):
            self.lines.append(f"{name} = {text.code}")
            inner.values[body] = Text(name, ATOM, body.shape)
        for body, argument, text in zip(loop.moving, node.inputs[ends:], arguments[ends:], strict=True):
            name = self._named(text, argument)
            index = "[:, t]" if body.type.is_batched else "[t]"
            inner.values[body] = Text(f"{name}{index}", ATOM, body.shape)
        record = self.name("steps")
        if not loop.keeps_last:
            self.lines.append(f"{record} = []")
        steps = f"range({loop.length})"
        self.lines.append(f"for t in {f'reversed({steps})' if loop.backwards else steps}:")
        inner.write()
        names = dict(zip(loop.body.outputs, states, strict=False))
        for node_before in {n for n in loop.recorded if n in loop.before and n not in names}:
            before = inner.name("before")
            inner.lines.append(f"{before} = {inner.values[node_before].code}")
            inner.values[node_before] = Text(before, ATOM, node_before.shape)
        after = [inner.whole(n).code for n in loop.body.outputs[: loop.carried]]
        if after:
            inner.lines.append(f"{', '.join(states)} = {', '.join(after)}")
        recorded = [Text(names[n], ATOM, n.shape) if n in names else inner.whole(n) for n in loop.recorded]
        flat = flat_record(recorded, loop)
        if not loop.keeps_last:
            inner.lines.append(f"{record}.append({flat})")
        self.needs_rows |= inner.needs_rows
        self.lines += [textwrap.indent(line, "    ") for line in inner.lines]
        if loop.keeps_last:  # the names of the last step still have its values
            return Text(flat, CALL, node.shape)
        order = f"{record}[::-1]" if loop.backwards else record
        return Text(f"np.stack({order}, axis={int(loop.is_batched)})", CALL, node.shape)

    def switch(self, node: Node) -> Text:
        """Compute all branches and select one; True chooses the first of two."""
        chosen = self._named(self.whole(node.inputs[0]), node.inputs[0])
        found = []
        for graph in node.params["branches"]:
            inner = Emitter(self.shared, self.scope, graph.nodes, set(graph.outputs), self.rows)
            inner.names, inner.loads, inner.lines = self.names, self.loads, self.lines
            inner.values = {n: self.whole(a) for n, a in zip(graph.inputs, node.inputs[1:], strict=True)}
            found.append(inner.whole(graph.outputs[0]).code)
            self.needs_rows |= inner.needs_rows
        if new := ", None" * (node.ndim - node.inputs[0].ndim):
            chosen = f"{chosen}[...{new}]"
        code = found[-1]
        for k, branch in reversed(list(enumerate(found[:-1]))):
            test = chosen if node.inputs[0].dtype.kind == "b" else f"{chosen} == {k}"
            code = f"np.where({test}, {branch}, {code})"
        return Text(code, CALL, node.shape)

    def _named(self, text: Text, node: Node) -> str:
        if text.binding == ATOM and text.code.isidentifier():
            return text.code
        name = self.name(WORDS.get(node.primitive.name, node.primitive.name))
        self.lines.append(f"{name} = {text.code}")
        return name


MOVING: dict[str, Callable[[Emitter, Node], Text]] = {
    "broadcast": Emitter.broadcast,
    "reshape": Emitter.reshape,
    "slice": Emitter.slice,
    "matmul": Emitter.matmul,
    "batch_matmul": Emitter.batch_matmul,
    "gather": Emitter.gather,
    "scan": Emitter.scan,
    "switch": Emitter.switch,
    "custom": lambda e, n: e.whole(n.inputs[0]),
    "transpose": lambda e, n: e.post(n, f".transpose{n.params['perm']}"),
    "reverse": lambda e, n: e.called(n, f"np.flip({{0}}, {n.params['along']})"),
    "concat": Emitter.concat,
    "reduce_sum": lambda e, n: e.post(n, f".sum(axis={axes_of(n)})"),
    "reduce_max": lambda e, n: e.post(n, f".max(axis={axes_of(n)})"),
    "reduce_min": lambda e, n: e.post(n, f".min(axis={axes_of(n)})"),
    "argsort": lambda e, n: e.called(n, f"np.argsort({{0}}, {n.params['axis']}, kind='stable')"),
    "windows": lambda e, n: e.helped(n, "windows", **n.params),
    "overlap_add": lambda e, n: e.helped(n, "overlap_add", **n.params),
    "scatter_add": lambda e, n: e.helped(n, "scatter_add", **n.params),
}
