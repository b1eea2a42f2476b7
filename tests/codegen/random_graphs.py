"""Make random small graphs of every kind of operation, with the gradient of one of their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nnjit.numpy as nnp
from nnjit.autodiff import pull_back
from nnjit.ir import B, Graph, Node, array_type, new_input, with_rows
from nnjit.primitives import full_like, random_uniform

INPUTS = ((B, 3), (B, 2), (B, 2, 3), (B,), (3,), (3, 2), (2, 3), ())
UNARY = (
    nnp.tanh, nnp.sigmoid, nnp.softplus, nnp.sin, nnp.relu, nnp.abs, nnp.negative, nnp.erf, nnp.stop_gradient,
    lambda x: nnp.sqrt(1 + x * x), lambda x: nnp.exp(-x * x), lambda x: nnp.log1p(x * x), lambda x: 0.5 * x,
    lambda x: x * 1 + 0, lambda x: nnp.clip(x, -0.5, 0.7),
)  # fmt: skip
BINARY = (
    nnp.add, nnp.subtract, nnp.multiply, nnp.maximum, nnp.minimum, lambda x, y: x / (1 + y * y),
    lambda x, y: nnp.where(nnp.less(x, y), x, 2 * y), lambda x, y: nnp.astype(nnp.less(y, x), x.dtype) * x,
)  # fmt: skip
REDUCE = (nnp.sum, nnp.mean, nnp.max, nnp.min, nnp.logsumexp)


class Maker:
    """Builds a graph by applying random operations to values it has built before."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype = str(self.rng.choice(["f64", "f64", "f32"]))
        chosen = sorted(self.rng.choice(len(INPUTS), 4, replace=False))
        shapes = [INPUTS[0], *(INPUTS[k] for k in chosen if k)]
        self.inputs = [new_input(array_type(self.dtype, s)) for s in shapes]
        self.counters = [new_input(array_type("u32")) for _ in range(2)]
        self.values: list[Node] = list(self.inputs)

    def graph(self, steps: int) -> Graph:
        """A graph of some values, and of the gradient of their sum."""
        while len(self.values) < steps + len(self.inputs):
            self.step()
        made = self.values[len(self.inputs) :]
        outputs = [made[k] for k in self.rng.choice(len(made), min(3, len(made)), replace=False)]
        cost: Any = 0.0
        for node in [*outputs, made[-1]]:
            cost = nnp.sum(nnp.astype(node, self.dtype)) + cost
        gradients = pull_back([cost], self.inputs, [full_like(cost, 1)])
        if self.rng.random() < 0.5:  # as in a training step: one vector of everything without rows
            flat = [nnp.ravel(g) for g in gradients if not g.type.is_batched and g.ndim]
            gradients = [g for g in gradients if g.type.is_batched]
            gradients += [nnp.concatenate(flat)] if flat else []
        return Graph((*self.inputs, *self.counters), (*outputs, *gradients))

    def step(self) -> None:
        """Add a random operation if it fits."""
        kinds: tuple[Callable[[], Node | None], ...] = (
            self.unary, self.unary, self.binary, self.binary, self.binary, self.reduce, self.reduce,
            self.product, self.product, self.shape, self.part, self.join, self.counter, self.cast,
        )  # fmt: skip
        node = kinds[self.rng.integers(len(kinds))]()
        if node is not None and B not in node.shape[1:] and node.type.row_size <= 24:
            self.values.append(node)

    def value(self) -> Node:
        """Return a value, mostly a late one, so graphs are deep."""
        late = max(0, len(self.values) - 6) if self.rng.random() < 0.7 else 0
        return self.values[self.rng.integers(late, len(self.values))]

    def unary(self) -> Node:
        return UNARY[self.rng.integers(len(UNARY))](self.value())

    def binary(self) -> Node | None:
        x, y = self.value(), self.value()
        if not _broadcast(x.shape, y.shape):
            return None
        return BINARY[self.rng.integers(len(BINARY))](x, y)

    def reduce(self) -> Node | None:
        x = self.value()
        if not x.ndim:
            return None
        axes = tuple(int(a) for a in range(x.ndim) if self.rng.random() < 0.5)
        return (
            REDUCE[self.rng.integers(len(REDUCE))](x, axes, keepdims=bool(self.rng.random() < 0.3))
            if axes
            else None
        )

    def product(self) -> Node | None:
        matrices = [n for n in self.values if n.ndim == 2]
        x = matrices[self.rng.integers(len(matrices))]
        if x.type.is_batched and self.rng.random() < 0.4:
            x = nnp.transpose(x)
        matrices = [n for n in matrices if n.dtype == x.dtype]  # a cast of a transposed batch has no kernel
        fitting = [n for n in matrices if n.shape[0] == x.shape[1]]
        fitting += [nnp.transpose(n) for n in matrices if n.shape[1] == x.shape[1] and not n.type.is_batched]
        return (
            nnp.tanh(x @ fitting[self.rng.integers(len(fitting))]) if fitting and x.shape != (B, B) else None
        )

    def shape(self) -> Node | None:
        x = self.value()
        first = 1 if x.type.is_batched else 0
        if self.rng.random() < 0.5:
            return nnp.transpose(x, [*range(first), *(first + self.rng.permutation(x.ndim - first))])
        size = x.type.row_size
        options = [
            s for s in ((size,), (1, size), (size, 1), (2, size // 2), (size // 3, 3)) if np.prod(s) == size
        ]
        return nnp.reshape(x, (*x.shape[:first], *options[self.rng.integers(len(options))]))

    def part(self) -> Node | None:
        x = self.value()
        index: list[Any] = []
        for length in x.shape:
            if length is B or self.rng.random() < 0.3:
                index.append(slice(None))
                continue
            low, high = sorted(self.rng.choice(length + 1, 2, replace=False))
            index.append(slice(int(low), int(high)) if self.rng.random() < 0.8 else int(low))
        return x[tuple(index)] if index else None

    def join(self) -> Node | None:
        x = self.value()
        axes = [a for a, d in enumerate(x.shape) if d is not B]
        if not axes:
            return None
        axis = int(self.rng.choice(axes))
        rest = _without(x.shape, axis)
        fitting = [n for n in self.values if n.ndim == x.ndim and _without(n.shape, axis) == rest]
        fitting = [n for n in fitting if n.shape[axis] is not B]
        return nnp.concatenate(
            [x, fitting[self.rng.integers(len(fitting))], 2 * x][: self.rng.integers(2, 4)], axis
        )

    def counter(self) -> Node:
        x = self.value()
        return x + random_uniform(
            *self.counters, shape=x.shape, stream=int(self.rng.integers(9)), dtype=x.dtype
        )

    def cast(self) -> Node:
        return nnp.astype(self.value(), str(self.rng.choice(["f32", "f64"])))

    def arguments(self, rows: int) -> list[np.ndarray]:
        """Return normal numbers for the inputs, a key and a step."""
        rng = np.random.default_rng(rows)
        arrays = [rng.standard_normal(with_rows(n.shape, rows)).astype(n.dtype) for n in self.inputs]
        return [*arrays, np.asarray(7, np.uint32), np.asarray(3, np.uint32)]


def _broadcast(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return all(d == e or 1 in (d, e) for d, e in zip(reversed(a), reversed(b), strict=False))


def _without(shape: tuple[Any, ...], axis: int) -> tuple[Any, ...]:
    return (*shape[:axis], *shape[axis + 1 :])
