"""The recurrences of a whole model, line by line, with shapes; layers are numbered in order.

a⁽⁰⁾ is the data, a⁽ˡ⁾ the output of layer l, z⁽ˡ⁾ its function's argument, δ⁽ˡ⁾ = ∂C/∂z⁽ˡ⁾. Rows are
examples, so a product with a weight is a W, and its derivatives are δ Wᵀ and aᵀ δ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

from nnjit.ir import B
from nnjit.ir import Shape as BatchShape
from nnjit.nn.array import Shape
from nnjit.nn.formula import Formula, call, partial, symbol, words
from nnjit.nn.losses.loss import Loss
from nnjit.nn.model.layer_node import LayerNode
from nnjit.nn.model.model import Model
from nnjit.nn.notation.cost import slope_line
from nnjit.nn.notation.functions import pull_back_rule
from nnjit.nn.notation.line import Line, numbers, reached
from nnjit.nn.notation.recurrence import Recurrence, Step, letter
from nnjit.nn.notation.table import mask_symbol, recurrence_of
from nnjit.nn.notation.typeset import text, typeset
from nnjit.nn.notation.vocabulary import GENERAL


def forward_lines(model: Model) -> list[Line]:
    """z⁽ˡ⁾ and a⁽ˡ⁾ of every layer, first to last."""
    return [line for layer in _numbered(model) for line in _forward(layer)]


def backward_lines(model: Model, loss: Loss) -> list[Line]:
    """∂C/∂a of the output; then δ and the gradient of every param, layer by layer, last to first.

    The derivatives from a layer's users add up. Frozen layers have no gradient, and layers that no derivative
    needs to reach have no line.
    """
    first = slope_line(model, loss)
    lines, handed = [first], {model.output: [first.left]}
    ends = reached(model)
    for layer in reversed([layer for layer in _numbered(model) if layer.node.name in ends]):
        derivative, g = _derivative(layer, reduce(add, handed[layer.node.name]))
        steps = [_line(step, layer, g=g) for step in layer.recurrence.backward]
        lines += [*derivative, *steps, *_gradients(layer, g)]
        for source, formula in zip(layer.node.inputs, layer.recurrence.back, strict=True):
            handed.setdefault(source, []).append(layer.filled(formula, g=g))
    return lines


def word_lines(model: Model, lines: Iterable[Line]) -> list[Line]:
    """The meanings of symbols, functions and indices, each once; functions only if the lines name them."""
    own = {name: meaning for node in model.nodes for name, meaning in recurrence_of(node).words.items()}
    printed = " ".join(text(typeset(line.right)) for line in lines)
    return [
        Line(words(name), words(meaning), None)
        for name, meaning in (GENERAL | own).items()
        if not (function := re.match(r"\w+(?=\()|Σⱼ", name)) or function.group() in printed
    ]


@dataclass(frozen=True)
class _NumberedLayer:
    """A layer with its number, its recurrence, and its inputs' symbols by their letters there."""

    node: LayerNode
    number: int
    recurrence: Recurrence
    inputs: Mapping[str, Formula]

    @property
    def a(self) -> Formula:
        return symbol("a", self.number)

    @property
    def z(self) -> Formula:
        return symbol("z", self.number)

    @property
    def shape(self) -> BatchShape:
        return _rows(self.node.output_shape)

    def filled(self, formula: Formula, **values: Formula) -> Formula:
        """Fill a formula of the recurrence with this layer's symbols, and other formulas by letter."""
        return formula.filled({**self.inputs, **values}, self.number)


def _numbered(model: Model) -> list[_NumberedLayer]:
    number = numbers(model)
    return [
        _NumberedLayer(
            node,
            number[node.name],
            recurrence_of(node),
            {f"x{k}": symbol("a", number[source]) for k, source in enumerate(node.inputs)}
            | {mask_symbol(k).text: symbol("a", number[m.name]) for k, m in enumerate(node.mask)},
        )
        for node in model.nodes
    ]


def _forward(layer: _NumberedLayer) -> list[Line]:
    stated = layer.recurrence
    right = layer.filled(stated.output)
    if stated.function is None:
        steps = [_line(step, layer) for step in stated.forward]
        return [*steps, Line(layer.a, right, layer.shape, stated.note)]
    applied = layer.z if stated.function == "identity" else call(stated.function, layer.z)
    return [Line(layer.z, right, layer.shape, stated.note), Line(layer.a, applied, layer.shape)]


def _derivative(layer: _NumberedLayer, handed: Formula) -> tuple[list[Line], Formula]:
    """The lines of ∂C/∂a, of δ, or of both, and which of the two the layer's other lines start from.

    Args:
        handed: the sum of the derivatives from the layer's users.
    """
    whole = [] if handed == partial(layer.a) else [Line(partial(layer.a), handed, layer.shape)]
    if layer.recurrence.function is None:
        return whole, partial(layer.a)
    delta, rule = symbol("δ", layer.number), pull_back_rule(layer.recurrence.function)
    if rule.uses("g") == 1:  # then the sum goes into the line of δ, as in the lecture
        return [Line(delta, layer.filled(rule, g=handed), layer.shape)], delta
    return [*whole, Line(delta, layer.filled(rule, g=partial(layer.a)), layer.shape)], delta


def _gradients(layer: _NumberedLayer, g: Formula) -> list[Line]:
    if layer.node.is_frozen:
        return []
    return [
        Line(
            partial(symbol(letter(param.name), layer.number)),
            layer.filled(layer.recurrence.gradients[param.name], g=g),
            param.shape,
        )
        for param in layer.node.params
    ]


def _line(step: Step, layer: _NumberedLayer, **values: Formula) -> Line:
    left, right = (layer.filled(side, **values) for side in (step.left, step.right))
    return Line(left, right, _rows(step.shape))


def _rows(shape: Shape) -> BatchShape:
    return (B, *shape)
