"""The recurrences of a whole model, line by line, with their shapes; layers are numbered in their order.

a⁽⁰⁾ is the data, a⁽ˡ⁾ the output of layer l, z⁽ˡ⁾ what its function is applied to, δ⁽ˡ⁾ = ∂C/∂z⁽ˡ⁾. Rows are
examples, so that a product with a weight is a W, and its derivatives are δ Wᵀ and aᵀ δ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

from nnjit.ir import B
from nnjit.ir import Shape as BatchShape
from nnjit.nn.activations import ACTIVATIONS
from nnjit.nn.array import Shape
from nnjit.nn.formula import (
    A,
    Formula,
    G,
    Y,
    Z,
    call,
    over_rows,
    partial,
    pulled,
    scaled,
    symbol,
    words,
)
from nnjit.nn.losses.loss import Loss
from nnjit.nn.model.expansion import INPUT
from nnjit.nn.model.model import LayerNode, Model
from nnjit.nn.notation.recurrence import Recurrence, Step, equation, letter
from nnjit.nn.notation.table import recurrence_of
from nnjit.nn.notation.typeset import FUNCTIONS, text, typeset

SHARE = words("1/n")
ONE = symbol("Cₖ")
WORDS = {
    "a⁽⁰⁾, a⁽ˡ⁾": "the data, and the output of layer l, a row for each of the n examples",
    "δ⁽ˡ⁾": "∂C/∂z⁽ˡ⁾, with z⁽ˡ⁾ what the layer's function is applied to",
    "⊙": "the product of elements",
    "Σₖ": "the sum over the examples, and over their places or steps",
    "Σⱼ": "the sum over the last axis",
    "θ, g": "all params in one vector, and the gradient of the cost (with its penalty) by it",
}
FUNCTION_NOTES = {
    "gelu": "Φ(z) is the normal distribution's probability of less than z, and φ its density",
    "softmax": "a is softmax(z), of which every element depends on all of z",
}
BRACKET_NOTE = "[…] is 1 where it holds, else 0"
WEIGHTS_NOTE = "an example of weight wₖ, that of its class included, counts as wₖ / Σ w instead of 1/n"


@dataclass(frozen=True)
class Line:
    """left = right.

    Args:
        shape: of both; `B` is the number n of examples. None where it holds of any shape.
    """

    left: Formula
    right: Formula
    shape: BatchShape | None
    note: str = ""


def numbers(model: Model) -> dict[str, int]:
    """The number of each layer, by its name; that of the data is 0."""
    return {INPUT: 0} | {node.name: k for k, node in enumerate(model.nodes, start=1)}


def forward_lines(model: Model) -> list[Line]:
    """z⁽ˡ⁾ and a⁽ˡ⁾ of every layer, first to last."""
    places = numbers(model)
    return [line for node in model.nodes for line in _forward(_placed(node, places))]


def function_lines(model: Model) -> list[Line]:
    """σ′ of every function that layers apply, written out; of softmax, which has no σ′, ∂C/∂z."""
    names = dict.fromkeys(recurrence_of(node).function for node in model.nodes)
    return [_function_line(name) for name in names if name not in (None, "identity")]


def word_lines(model: Model, lines: Iterable[Line]) -> list[Line]:
    """What these lines take for known, and what the layers name in words, each once."""
    own = {name: said for node in model.nodes for name, said in recurrence_of(node).words.items()}
    printed = " ".join(text(typeset(line.right)) for line in lines)
    return [
        Line(words(name), words(meaning), None)
        for name, meaning in (WORDS | own).items()
        if not (function := re.match(r"\w+(?=\()|Σⱼ", name)) or function.group() in printed
    ]


def cost_lines(model: Model, loss: Loss) -> list[Line]:
    """The cost of one example, and that of the batch."""
    output = _output(model)
    cost, a = scaled(SHARE, over_rows(ONE)), symbol("a", numbers(model)[output.name])
    return [cost_line(loss, ONE, a, Y, _width(output)), Line(symbol("C"), cost, (), WEIGHTS_NOTE)]


def cost_line(loss: Loss, one: Formula, a: Formula, y: Formula, outputs: int) -> Line:
    """The cost of one example, by the loss's docstring, and what its letters and its options are here."""
    formula, said = equation(loss)
    target = loss.counted(outputs).filled({"y": y})
    known = {"z": a, "output": a, "t": target, "target": target, "s": 2 * y - 1}
    used = [name for name in known if re.search(rf"(?<![\w']){name}(?![a-z])", f"{formula} {said}")]
    first = {
        known[name]: name for name in reversed(used)
    }  # hinge's note speaks of an output, its formula of z
    here = ", ".join(f"{name} is {text(typeset(meant))}" for meant, name in reversed(first.items()))
    here += ", with a class as a one-hot row" * (loss.targets == "classes")
    options = loss.model_dump(exclude={"type", "label_smoothing"}).items()
    chosen = ", ".join(f"{name} = {value:g}" for name, value in options if isinstance(value, float))
    return Line(one, words(formula), (B,), "; ".join(filter(None, (said, here, chosen))))


def backward_lines(model: Model, loss: Loss) -> list[Line]:
    """∂C/∂a of the output; then δ and the gradient of every param, layer by layer, last to first.

    The derivatives that a layer's users hand back to it add up.
    """
    places = numbers(model)
    handed: dict[str, list[Formula]] = {name: [] for name in places}
    output = _output(model)
    cost = _cost_line(loss, output, places[output.name])
    handed[output.name].append(cost.left)
    lines = [cost]
    for node in reversed(model.nodes):
        layer = _placed(node, places)
        derivative, g = _derivative(layer, reduce(add, handed[node.name]))
        steps = [_of_step(step, layer, g=g) for step in layer.recurrence.backward]
        lines += [*derivative, *steps, *_gradients(layer, g)]
        for source, formula in zip(node.inputs, layer.recurrence.back, strict=True):
            handed[source].append(layer.filled(formula, g=g))
    return lines


def _cost_line(loss: Loss, output: LayerNode, place: int) -> Line:
    """The mean over the examples, so a 1/n before the derivative of one example's cost."""
    a = symbol("a", place)
    slope = loss.slope(_width(output))
    slope = symbol("∂Cₖ/∂a", place) if slope is None else slope.filled({"a": a})
    return Line(partial(a), scaled(SHARE, slope), _rows(output.output_shape))


def _output(model: Model) -> LayerNode:
    return next(node for node in model.nodes if node.name == model.output)


def _width(output: LayerNode) -> int:
    return output.output_shape[-1] if output.output_shape else 1


def _function_line(name: str) -> Line:
    rule = _rule(name)
    note = FUNCTION_NOTES.get(name, BRACKET_NOTE * _has(rule, "positive"))
    if rule.op == "times" and rule.args[0] == G:
        return Line(call(f"{FUNCTIONS.get(name, name)}′", Z), rule.args[1], None, note)
    return Line(partial(Z), rule.filled({"g": partial(A)}), None, note)


def _has(formula: Formula, op: str) -> bool:
    return formula.op == op or any(_has(argument, op) for argument in formula.args)


@dataclass(frozen=True)
class _Placed:
    """A layer's recurrence, the number of the layer, and the symbols of its inputs by their letters."""

    node: LayerNode
    place: int
    recurrence: Recurrence
    inputs: Mapping[str, Formula]

    @property
    def a(self) -> Formula:
        return symbol("a", self.place)

    @property
    def z(self) -> Formula:
        return symbol("z", self.place)

    @property
    def shape(self) -> BatchShape:
        return _rows(self.node.output_shape)

    def filled(self, formula: Formula, **values: Formula) -> Formula:
        """A formula of the recurrence with this layer's symbols, and other formulas by their letters."""
        return formula.filled({**self.inputs, **values}, self.place)


def _placed(node: LayerNode, places: Mapping[str, int]) -> _Placed:
    inputs = {f"x{k}": symbol("a", places[source]) for k, source in enumerate(node.inputs)}
    return _Placed(node, places[node.name], recurrence_of(node), inputs)


def _forward(layer: _Placed) -> list[Line]:
    stated = layer.recurrence
    right = layer.filled(stated.output)
    if stated.function is None:
        steps = [_of_step(step, layer) for step in stated.forward]
        return [*steps, Line(layer.a, right, layer.shape, stated.note)]
    applied = layer.z if stated.function == "identity" else call(stated.function, layer.z)
    return [Line(layer.z, right, layer.shape, stated.note), Line(layer.a, applied, layer.shape)]


def _of_step(step: Step, layer: _Placed, **values: Formula) -> Line:
    left, right = (layer.filled(side, **values) for side in (step.left, step.right))
    return Line(left, right, _rows(step.shape))


def _derivative(layer: _Placed, handed: Formula) -> tuple[list[Line], Formula]:
    """The line of ∂C/∂a, of δ, or of both, and which of them the layer's other lines begin with.

    Args:
        handed: the sum of what the layer's users hand back.
    """
    whole = [] if handed == partial(layer.a) else [Line(partial(layer.a), handed, layer.shape)]
    if layer.recurrence.function is None:
        return whole, partial(layer.a)
    delta, rule = symbol("δ", layer.place), _rule(layer.recurrence.function)
    if rule.uses("g") == 1:  # then the sum can stand in the line of δ, as in the lecture
        return [Line(delta, layer.filled(rule, g=handed), layer.shape)], delta
    return [*whole, Line(delta, layer.filled(rule, g=partial(layer.a)), layer.shape)], delta


def _gradients(layer: _Placed, g: Formula) -> list[Line]:
    return [
        Line(
            partial(symbol(letter(param.name), layer.place)),
            layer.filled(layer.recurrence.gradients[param.name], g=g),
            param.shape,
        )
        for param in layer.node.params
    ]


def _rule(function: str) -> Formula:
    return ACTIVATIONS[function].back or pulled(A, Z, G)


def _rows(shape: Shape) -> BatchShape:
    return (B, *shape)
