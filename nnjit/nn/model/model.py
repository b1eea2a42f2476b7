"""The model: layers wired into a directed acyclic graph, with their shapes, params and state."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.errors import ConfigError, GraphError, UserError
from nnjit.ir import as_dtype, scope
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import fans
from nnjit.nn.layers.shared.base import Context, Layer, UsedRows
from nnjit.nn.layers.shared.columns import Columns
from nnjit.nn.links import Link
from nnjit.nn.model.expansion import INPUT, Wire
from nnjit.nn.model.layer_node import LayerNode
from nnjit.nn.model.masks import OF_DATA, Carried, carried_by, mask_from, places_of
from nnjit.nn.model.params import ParamTable
from nnjit.nn.model.repeat import Repeat
from nnjit.nn.model.wiring import wire


@dataclass(frozen=True)
class Trained:
    """The result of a training step's forward pass.

    Args:
        output: (B, …).
        state: the vector of the state after the step, (S,).
        used: the params in which a step may update only the rows it used.
    """

    output: Any
    state: Any
    used: Mapping[str, UsedRows]


@dataclass(frozen=True)
class Model:
    """A function of (arrays, data), built by `build_model`.

    Its arrays form one flat vector: the trained params; then its layers' state, which each training step
    replaces; then everything of frozen layers, which no step changes. Most models have only params.

    Args:
        nodes: the layers, each after those it takes.
        output: the name of the layer whose output is the model's.
        table: the layout of the vector of params, (P,).
        state_table: the layout of the vector of the layers' state, after it, (S,).
        frozen_table: the layout of the vector of frozen layers' params and state, the last, (F,).
    """

    input_shape: Shape
    nodes: tuple[LayerNode, ...]
    output: str
    table: ParamTable
    state_table: ParamTable
    frozen_table: ParamTable

    @property
    def output_shape(self) -> Shape:
        """The shape of the output, without the batch axis."""
        return next(n.output_shape for n in self.nodes if n.name == self.output)

    def activation_of(self, name: str) -> str:
        """A layer's final activation; "" if it has none."""
        layer = next(n.layer for n in self.nodes if n.name == name)
        return getattr(layer, "activation", None) or getattr(layer, "function", None) or ""

    def link_of(self, name: str) -> Link:
        """The sigmoid or softmax at the end of a layer if `before_links` can remove it; else identity."""
        layer = next(n.layer for n in self.nodes if n.name == name)
        activation = self.activation_of(name)
        readers = [n for n in self.nodes if name in n.inputs]
        is_last = all(n.name == self.output and n.layer.type == "concat" for n in readers)
        if layer.without_activation() is layer or not is_last:
            return "identity"
        return activation if activation in ("sigmoid", "softmax") else "identity"  # type: ignore[return-value]  # both are

    def before_links(self, names: Collection[str]) -> Model:
        """The model without the activations of these layers."""
        nodes = (replace(n, layer=n.layer.without_activation()) if n.name in names else n for n in self.nodes)
        return replace(self, nodes=tuple(nodes))

    @property
    def tables(self) -> dict[str, ParamTable]:
        """The layouts of the vectors that graphs take, by name: params, and state and frozen if any."""
        others = {"state": self.state_table, "frozen": self.frozen_table}
        return {"theta": self.table} | {name: table for name, table in others.items() if table.size}

    @property
    def frozen_params(self) -> int:
        """The number of frozen layers' params, without their state."""
        return sum(math.prod(p.shape) for node in self.nodes if node.is_frozen for p in node.params)

    @property
    def arrays(self) -> ParamTable:
        """The layout of the vector of all arrays, (P + S + F,)."""
        return self.table.followed_by(self.state_table).followed_by(self.frozen_table)

    def split(self, theta: numpy.ndarray) -> dict[str, numpy.ndarray]:
        """The vectors that graphs take, by name and in order, as views of the vector of all arrays."""
        vectors, start = {}, 0
        for name, table in self.tables.items():
            vectors[name] = theta[start : start + table.size]
            start += table.size
        return vectors

    def initialize(self, seed: int, dtype: object = "f32") -> numpy.ndarray:
        """The initial arrays, (P + S + F,).

        Each has its own generator, independent of the others' sizes and of whether it is frozen.
        """
        theta = numpy.empty(self.arrays.size, as_dtype(dtype))
        params = [f"{n.name}.{p.name}" for n in self.nodes for p in n.params]
        state = [f"{n.name}.{p.name}" for n in self.nodes for p in n.state]
        indices = {name: index for index, name in enumerate((*params, *state))}
        for entry in self.arrays:
            rng = numpy.random.default_rng([seed, indices[entry.name]])
            values = entry.initializer(rng, entry.shape, *fans(entry.shape))
            with numpy.errstate(over="ignore"):  # the first step reports infinite values
                theta[entry.offset : entry.offset + entry.size] = values.ravel()
        return theta

    def __call__(
        self,
        params: Mapping[str, Array] | Array,
        x: Array,
        *,
        training: bool = False,
        key: Any = None,
        step: Any = None,
    ) -> Any:
        """The output (B, …) for data `x` (B, *input_shape).

        Args:
            params: all arrays by name, or their flat vector.
            training: whether dropout etc. are active.
            key, step: u32 scalars that determine all random numbers; needed in training if a layer draws any.
        """
        return self._run(params, x, training, partial(_uniform, key, step), None)[0][self.output]

    def outputs(self, params: Mapping[str, Array] | Array, x: Array) -> Mapping[str, Any]:
        """The output (B, …) of each layer by name, without dropout etc."""
        return self._run(params, x, False, partial(_uniform, None, None), None)[0]

    def train(
        self, params: Mapping[str, Array] | Array, x: Array, *, key: Any, step: Any, weights: Array
    ) -> Trained:
        """The forward pass of a training step.

        Args:
            params, key, step: as for a call.
            weights: (B,), the weight of each row.
        """
        values, after = self._run(params, x, True, partial(_uniform, key, step), weights)
        used = {
            f"{node.name}.{name}": rows
            for node in self.nodes
            for name, rows in node.layer.used_rows(*(values[n] for n in node.inputs)).items()
        }
        return Trained(values[self.output], self.state_table.flatten(after), used)

    def _run(
        self,
        params: Mapping[str, Array] | Array,
        x: Array,
        training: bool,
        draw: Callable[[int, Any], Any],
        weights: Array | None,
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        """The output of each layer, and in training each array of the next state."""
        if np.shape(x)[1:] != self.input_shape:
            raise GraphError(f"the model takes examples of shape {self.input_shape}, got {np.shape(x)[1:]}")
        named = params if isinstance(params, Mapping) else self.arrays.unflatten(params)
        values: dict[str, Any] = {INPUT: x}
        after: dict[str, Any] = {}
        for stream, node in enumerate(self.nodes):
            own, state = (
                {p.name: named[f"{node.name}.{p.name}"] for p in kind} for kind in (node.params, node.state)
            )
            inputs = node.inputs
            with scope(node.name):
                mask = mask_from(values, node.mask)
                learns = training and not node.is_frozen
                context = Context(learns, partial(draw, stream), state, weights, mask)
                values[node.name] = node.layer(own, *(values[n] for n in inputs), context=context)
                if learns and node.state:
                    moved = node.layer.next_state(*(values[n] for n in inputs), context=context)
                    after |= {f"{node.name}.{name}": array for name, array in moved.items()}
        return values, after


def build_model(
    layers: Sequence[Layer | Repeat],
    input_shape: Shape,
    output_size: int | None = None,
    columns: Columns = (),
) -> Model:
    """Wire `layers` for examples of `input_shape`; the last layer gives the output.

    Args:
        output_size: the number of outputs that the data requires; the last layer's size if left open.
        columns: the columns of a table, which layers may name.

    Raises:
        ConfigError, GraphError: names, wires or shapes do not fit; the path is `("model", index, …)`.
    """
    if not layers:
        raise ConfigError("expected at least one layer", ("model",))
    wires, order = wire(layers, columns)
    wires[-1] = replace(wires[-1], layer=wires[-1].layer.completed(output_size))
    shapes: dict[str, Shape] = {INPUT: tuple(input_shape)}
    carried = dict(OF_DATA)
    nodes = []
    for index in order:
        sources = wires[index].sources
        nodes.append(_place(wires[index], tuple(shapes[s] for s in sources), carried[sources[0]]))
        shapes[wires[index].name] = nodes[-1].output_shape
        carried[wires[index].name] = carried_by(nodes[-1], carried)
    return Model(tuple(input_shape), tuple(nodes), wires[-1].name, *_tables(nodes))


def _tables(nodes: Sequence[LayerNode]) -> tuple[ParamTable, ParamTable, ParamTable]:
    """The layouts of params, of state, and of frozen layers' arrays."""
    trained, frozen = ([n for n in nodes if n.is_frozen == is_frozen] for is_frozen in (False, True))
    params = [(f"{n.name}.{p.name}", p) for n in trained for p in n.params]
    state = [(f"{n.name}.{p.name}", p) for n in trained for p in n.state]
    kept = [(f"{n.name}.{p.name}", p) for n in frozen for p in (*n.params, *n.state)]
    return ParamTable.of(params), ParamTable.of(state), ParamTable.of(kept)


def _place(w: Wire, shapes: tuple[Shape, ...], carried: Carried) -> LayerNode:
    layer = w.layer
    try:
        output, arrays = layer.output_shape(*shapes), (layer.params(*shapes), layer.state(*shapes))
        return LayerNode(w.name, layer, w.sources, shapes, output, *arrays, places_of(layer, carried))
    except UserError as error:
        where = f'(layer "{w.name}", from {", ".join(w.sources)})'
        raise type(error)(f"{error.message} {where}", (*w.path, *error.path)) from None


def _uniform(key: Any, step: Any, stream: int, shape: Any) -> Any:
    if key is None or step is None:
        raise GraphError("a layer draws random numbers: a call with training=True needs `key` and `step`")
    return np.random_uniform(key, step, shape, stream)
