"""Rewrite convolutional networks for groups of examples, which are the lanes of vectors.

A row of the new graph is a group of examples. A value of an example, `[B,…]`, becomes `[B,lanes,…]`, as in
the data, or `[B,…,lanes]`. In the latter form, loops over the elements of an image of any axes work on
whole vectors, and a convolution needs no copy of its windows. Images have their examples as lanes from the
first window to the dense layers, whose products take them row by row.

If the last group of a batch lacks examples, it is filled with copies of another one, of weight 0. So all
sums over the batch must be of multiples of the weight; otherwise the graph is not grouped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnjit.ir import B, Dim, Graph, Node, apply, new_input, scope
from nnjit.ir.graph import Primitive, constant_p
from nnjit.ir.types import static
from nnjit.primitives import (
    add,
    broadcast,
    cast,
    concat,
    div,
    matmul,
    mul,
    neg,
    overlap_add,
    reduce_sum,
    reshape,
    reverse,
    select,
    slice_,
    sub,
    transpose,
    windows,
)
from nnjit.primitives.lanes import (
    MOST_PLACES,
    MOST_TAPS,
    Axes,
    joined,
    lane_product,
    lane_spread,
    lane_weights,
)

ROWS, IMAGES = "rows", "images"  # [B,lanes,…] and [B,…,lanes]


def in_lanes(graph: Graph, weights: Sequence[Node], lanes: int) -> Graph | None:
    """Rewrite `graph` for groups of examples; None if it has no windows, or anything in it cannot be grouped.

    Args:
        weights: the inputs with the weights of the examples.
        lanes: examples of a group.
    """
    if not any(n.primitive in (windows, overlap_add) for n in graph.nodes) or not _is_fit(graph, weights):
        return None
    return _Grouping(graph, lanes).graph()


def _is_batched(node: Node) -> bool:
    return node.type.is_batched


def _is_sum(node: Node) -> bool:
    """Whether `node` is summed over the batch."""
    return not _is_batched(node) and any(map(_is_batched, node.inputs))


# -- whether a graph can be grouped


def _is_fit(graph: Graph, weights: Sequence[Node]) -> bool:
    images, nothing = _images(graph.nodes), _multiples(graph.nodes, weights)
    for node in graph.nodes:
        if _is_sum(node):
            is_known = node.primitive in (matmul, reduce_sum) and any(n in nothing for n in node.inputs)
            if not is_known or (node.primitive is matmul and not _is_fit_product(node)):
                return False
        elif _is_batched(node) and not _is_fit_value(node, node in images):
            return False
    return True


def _is_fit_value(node: Node, is_image: bool) -> bool:
    if node.primitive is matmul:
        return _is_fit_product(node)
    if node.primitive.kind in ("input", "elementwise", "counter") or node.primitive is broadcast:
        return True
    if not all(map(_is_batched, node.inputs)):
        return False
    if not is_image:
        return node.primitive.lift is not None
    return node.primitive in _MOVES or (node.primitive.kind == "reduce" and "axes" in node.params)


def _is_fit_product(node: Node) -> bool:
    (a, b), ta, tb = node.inputs, node.params["ta"], node.params["tb"]
    if _is_sum(node):
        return _is_batched(a) and _is_batched(b) and ta and not tb
    return _is_batched(a) and not _is_batched(b) and not ta


def _multiples(nodes: Iterable[Node], weights: Sequence[Node]) -> set[Node]:
    """The values that are 0 for every example of weight 0, if all else is finite."""
    found = set(weights)
    for node in nodes:
        if node.primitive is constant_p and not node.params["value"].array.any():
            found.add(node)
        elif _is_batched(node) and node.primitive in _LINEAR:
            inputs = node.inputs[:1] if node.primitive is div else node.inputs[node.primitive is select :]
            needed = any if node.primitive in (mul, matmul) else all
            if needed(n in found for n in inputs):
                found.add(node)
    return found


# -- grouping


class _Grouping:
    """Rewrites a graph; keeps the forms of its values that exist so far."""

    def __init__(self, graph: Graph, lanes: int) -> None:
        self.old, self.lanes = graph, lanes
        self.images = _images(graph.nodes)
        self.made: dict[tuple[Node, str], Node] = {}
        self.fixed: dict[Node, Node] = {}  # values without examples

    def graph(self) -> Graph:
        inputs = []
        for node in self.old.inputs:
            if _is_batched(node):
                shape = (B, self.lanes, *node.shape[1:])
                inputs.append(new_input(node.type.with_shape(shape), node.scope))
                self.made[node, ROWS] = inputs[-1]
            else:
                inputs.append(node)
                self.fixed[node] = node
        for node in self.old.nodes:
            with scope(node.scope):
                self.convert(node)
        outputs = tuple(self.fixed[n] for n in self.old.outputs)
        return Graph(tuple(inputs), outputs, self.old.names)

    def convert(self, node: Node) -> None:
        """Make the form of `node` that it is computed in."""
        if node in self.fixed or (node, ROWS) in self.made:
            return
        if _is_sum(node):
            self.fixed[node] = self.total(node)
        elif not _is_batched(node):
            inputs = (self.fixed[n] for n in node.inputs)
            self.fixed[node] = apply(node.primitive, *inputs, **node.params) if node.inputs else node
        elif node in self.images:
            self.made[node, IMAGES] = self.image(node)
        elif not _is_free(node):
            self.made[node, ROWS] = self.row(node)

    def get(self, node: Node, form: str) -> Node:
        """Return `node` in a form."""
        if not _is_batched(node):
            return self.fixed[node]
        if (node, form) not in self.made:
            if _is_free(node):
                new = self.image(node) if form == IMAGES else self.row(node)
            else:
                new = self.transposed(node, form)
            self.made[node, form] = new
        return self.made[node, form]

    def transposed(self, node: Node, form: str) -> Node:
        """A value in `form`, transposed from its other form."""
        other = self.made[node, ROWS if form == IMAGES else IMAGES]
        if node.type.row_size == 1:
            shape = (B, self.lanes, *node.shape[1:]) if form == ROWS else (B, *node.shape[1:], self.lanes)
            return other if other.shape == shape else apply(reshape, other, shape=shape)
        last = node.ndim
        perm = (0, *range(2, last + 1), 1) if form == IMAGES else (0, last, *range(1, last))
        return apply(transpose, other, perm=perm)

    def row(self, node: Node) -> Node:
        """`node` of arguments `[B,lanes,…]`: a stack of batches of a known size."""
        inputs = [self.get(n, ROWS) for n in node.inputs]
        primitive, params = node.primitive, dict(node.params)
        if primitive.kind == "counter":
            params["shape"] = (B, *self.known(params["shape"]))
        elif primitive is broadcast and not _is_batched(node.inputs[0]):
            params = {
                "shape": (B, *self.known(params["shape"])),
                "axes": tuple(a + 1 for a in params["axes"]),
            }
        elif primitive.lift is not None and primitive is not matmul:
            given = {k: self.known(v) if k == "shape" else v for k, v in params.items()}
            params = primitive.lift(B, **given)
        return apply(primitive, *inputs, **params)

    def known(self, shape: Sequence[Dim]) -> tuple[Dim, ...]:
        return tuple(self.lanes if d is B else d for d in shape)

    def image(self, node: Node) -> Node:
        """`node` of arguments `[B,…,lanes]`."""
        primitive, params, lanes = node.primitive, dict(node.params), (self.lanes,)
        if primitive is matmul:
            return self.product(node)
        if primitive is overlap_add and (found := _spread_parts(node)) is not None:
            return self.spread(*found, node.shape[1:])
        inputs = [self.get(n, IMAGES) for n in node.inputs]
        if primitive is broadcast:
            last = (len(params["shape"]),) if _is_batched(node.inputs[0]) else ()
            params = {"shape": (*params["shape"], *lanes), "axes": (*params["axes"], *last)}
        elif primitive is reshape:
            params["shape"] = (*params["shape"], *lanes)
        elif primitive is slice_:
            params = {"starts": (*params["starts"], 0), "shape": (*params["shape"], *lanes)}
        elif primitive is transpose:
            params["perm"] = (*params["perm"], node.ndim)
        return apply(primitive, *inputs, **params)

    def product(self, node: Node) -> Node:
        a, w = node.inputs
        if node.params["tb"]:  # each place separately
            depth = node.type.row_shape[-1]
            count = node.type.row_size // depth
            return self.spread(a, w, ((count, depth),), ((depth, 1),), node.shape[1:])
        x, places, taps = _read_at(a)
        options = {"places": places, "taps": taps, "shape": node.shape[1:]}
        return apply(lane_product, self.get(x, IMAGES), self.fixed[w], **options)

    def spread(self, g: Node, w: Node, places: Axes, taps: Axes, shape: Sequence[Dim]) -> Node:
        weights = apply(transpose, self.fixed[w], perm=(1, 0))
        return apply(lane_spread, self.get(g, IMAGES), weights, places=places, taps=taps, shape=tuple(shape))

    def total(self, node: Node) -> Node:
        """A sum over the batch; in a loop, the sum over lanes comes last, once a batch."""
        if node.inputs[0] not in self.images or (node.primitive is matmul and node.inputs[0].ndim == 2):
            if node.primitive is matmul:
                return apply(matmul, *(self.get(n, ROWS) for n in node.inputs), **node.params)
            axes = (0, 1, *(a + 1 for a in node.params["axes"] if a))
            return apply(reduce_sum, self.get(node.inputs[0], ROWS), axes=axes)
        if node.primitive is matmul:
            x, places, taps = _read_at(node.inputs[0])
            args = self.get(x, IMAGES), self.get(node.inputs[1], IMAGES)
            return apply(lane_weights, *args, places=places, taps=taps)
        sums = apply(reduce_sum, self.get(node.inputs[0], IMAGES), **node.params)
        return apply(reduce_sum, sums, axes=(sums.ndim - 1,))


def _is_free(node: Node) -> bool:
    """Whether `node` is the same for all examples, so it fits any form."""
    return node.primitive is broadcast and not _is_batched(node.inputs[0])


def _images(nodes: Sequence[Node]) -> set[Node]:
    """Values with examples as lanes: those connected to a window, except through a product of rows."""
    neighbours: dict[Node, list[Node]] = {n: [] for n in nodes if _is_joined(n)}
    for node in neighbours:
        for argument in node.inputs:
            if argument in neighbours and not _is_row_product(node):
                neighbours[node].append(argument)
                neighbours[argument].append(node)
    reached = [n for n in neighbours if n.primitive in (windows, overlap_add)]
    found = set(reached)
    while reached:
        new = [n for n in neighbours[reached.pop()] if n not in found]
        found.update(new)
        reached += new
    return {n for n in found if not _is_row_product(n)}


def _is_joined(node: Node) -> bool:
    """Whether `node` has the form of its arguments."""
    is_source = node.primitive.kind in ("input", "counter") or _is_free(node)
    return _is_batched(node) and node.type.row_size > 1 and not is_source


def _is_row_product(node: Node) -> bool:
    return node.primitive is matmul and node.ndim == 2


def _read_at(node: Node) -> tuple[Node, Axes, Axes]:
    """The value whose windows are the left argument of a product, and the windows' places and taps."""
    x = node.inputs[0] if node.primitive is reshape else node
    if x.primitive is windows and x.shape[: x.params["first"] + len(x.params["sizes"])] == node.shape[:-1]:
        found = _axes_of(x.inputs[0], x.params)
        if found is not None:
            return (x.inputs[0], *found)
    depth = node.type.row_shape[-1]
    return node, ((node.type.row_size // depth, depth),), ((depth, 1),)


def _axes_of(x: Node, params: Mapping[str, Any]) -> tuple[Axes, Axes] | None:
    """The places and taps of windows over x; None if no kernel has loops for them."""
    first, sizes, strides, dilations = (params[k] for k in ("first", "sizes", "strides", "dilations"))
    n, steps, shape = len(sizes), _strides(x), static(x.shape[1:])
    counts = static(apply(windows, x, **params).shape[first : first + n])
    begin, end = first - 1, first - 1 + n
    own = steps[begin:end]
    outer = zip(shape[:begin], steps[:begin], strict=True)
    places = joined((*outer, *((c, s * k) for c, s, k in zip(counts, own, strides, strict=True))))
    inner = ((c, s * k) for c, s, k in zip(sizes, own, dilations, strict=True))
    taps = joined((*inner, *zip(shape[end:], steps[end:], strict=True)))
    if not taps or taps[-1][1] != 1:
        taps = (*taps, (1, 1))
    return (places, taps) if len(places) <= MOST_PLACES and len(taps) <= MOST_TAPS else None


def _strides(x: Node) -> list[int]:
    """The strides of all axes but the batch axis, in elements."""
    shape = static(x.shape[1:])
    return [math.prod(shape[k + 1 :]) for k in range(len(shape))]


def _spread_parts(node: Node) -> tuple[Node, Node, Axes, Axes] | None:
    """The arguments of a product whose windows `node` adds up, and the windows' places and taps."""
    inner = node.inputs[0]
    product = inner.inputs[0] if inner.primitive is reshape else inner
    if product.primitive is not matmul or not product.params["tb"] or not _is_batched(product):
        return None
    first, n = node.params["first"], len(node.params["lengths"])
    if inner.shape[: first + n] != product.shape[:-1]:
        return None
    options = {k: node.params[k] for k in ("first", "strides", "dilations")}
    found = _axes_of(node, {"sizes": inner.shape[first + n : first + 2 * n], **options})
    g, w = product.inputs
    return None if found is None else (g, w, *found)


_MOVES: frozenset[Primitive] = frozenset((reshape, reverse, slice_, transpose, windows, overlap_add, concat))
_LINEAR = _MOVES | {mul, matmul, div, add, sub, neg, cast, select, broadcast, reduce_sum}
