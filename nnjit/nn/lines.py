"""The recurrences of a whole model, line by line, with their shapes; layers are numbered in their order.

a⁽⁰⁾ is the data, a⁽ˡ⁾ the output of layer l, z⁽ˡ⁾ what its function is applied to, δ⁽ˡ⁾ = ∂C/∂z⁽ˡ⁾. Rows are
examples, so that a product with a weight is a W, and its derivatives are δ Wᵀ and aᵀ δ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from nnjit.ir import B
from nnjit.ir import Shape as BatchShape
from nnjit.nn.activations import ACTIVATIONS
from nnjit.nn.array import Shape
from nnjit.nn.formula import A, Formula, G, Z, call, over_rows, partial, pulled, scaled, symbol, words
from nnjit.nn.loss import Loss
from nnjit.nn.model import LayerNode, Model
from nnjit.nn.recurrence import Recurrence, equation, letter, statement
from nnjit.nn.typeset import FUNCTIONS
from nnjit.nn.wiring import INPUT

SHARE = words("1/n")
WEIGHTS_NOTE = "an example of weight wₖ counts as wₖ / Σ w instead of 1/n"


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
    return [line for node in model.nodes for line in _forward(node, places)]


def function_lines(model: Model) -> list[Line]:
    """σ′ of every function that layers apply, written out; of softmax, which has no σ′, ∂C/∂z."""
    stated = [_recurrence(node) for node in model.nodes]
    names = dict.fromkeys(s.function for s in stated if s is not None and s.function is not None)
    return [_function_line(name) for name in names if name != "identity"]


def cost_lines(loss: Loss) -> list[Line]:
    """The cost of one example, and that of the batch."""
    one, (formula, said) = symbol("Cₖ"), equation(loss)
    mean = scaled(SHARE, over_rows(one))
    return [Line(one, words(formula), (B,), said), Line(symbol("C"), mean, (), WEIGHTS_NOTE)]


def backward_lines(model: Model, loss: Loss) -> list[Line]:
    """∂C/∂a of the output; then δ and the gradient of every param, layer by layer, last to first.

    The derivatives that a layer's users hand back to it add up.
    """
    places = numbers(model)
    handed: dict[str, list[Formula]] = {name: [] for name in places}
    output = next(node for node in model.nodes if node.name == model.output)
    cost = _cost_line(loss, output, places[output.name])
    handed[output.name].append(cost.left)
    lines = [cost]
    for node in reversed(model.nodes):
        own, back = _backward(node, places, reduce(add, handed[node.name]))
        lines += own
        for source, formula in zip(node.inputs, back, strict=True):
            handed[source].append(formula)
    return lines


def _cost_line(loss: Loss, output: LayerNode, place: int) -> Line:
    """The mean over the examples, so a 1/n before the derivative of one example's cost."""
    a = symbol("a", place)
    slope = loss.slope(output.output_shape[-1] if output.output_shape else 1)
    slope = symbol("∂Cₖ/∂a", place) if slope is None else slope.filled({"a": a})
    return Line(partial(a), scaled(SHARE, slope), _rows(output.output_shape))


def _function_line(name: str) -> Line:
    rule = ACTIVATIONS[name].back or pulled(A, Z, G)
    if rule.op == "times" and rule.args[0] == G:
        return Line(call(f"{FUNCTIONS.get(name, name)}′", Z), rule.args[1], None)
    return Line(partial(Z), rule.filled({"g": partial(A)}), None)


def _forward(node: LayerNode, places: Mapping[str, int]) -> list[Line]:
    place, shape = places[node.name], _rows(node.output_shape)
    a, z, stated = symbol("a", place), symbol("z", place), _recurrence(node)
    if stated is None:
        arguments = (*_inputs(node, places), *_params(node, place))
        return [Line(a, call(node.layer.type, *arguments), shape, statement(node.layer))]
    right = stated.output.filled(_values(node, places), place)
    if stated.function is None:
        return [Line(a, right, shape, stated.note)]
    applied = z if stated.function == "identity" else call(stated.function, z)
    return [Line(z, right, shape, stated.note), Line(a, applied, shape)]


def _backward(
    node: LayerNode, places: Mapping[str, int], handed: Formula
) -> tuple[list[Line], Sequence[Formula]]:
    """The lines of a layer, and what it hands back to each of its inputs."""
    place, shape, stated = places[node.name], _rows(node.output_shape), _recurrence(node)
    a, delta = symbol("a", place), symbol("δ", place)
    whole = [] if handed == partial(a) else [Line(partial(a), handed, shape)]
    if stated is None:
        gradients = [pulled(a, p, partial(a)) for p in _params(node, place)]
        back = [pulled(a, x, partial(a)) for x in _inputs(node, places)]
        return [*whole, *_gradient_lines(node, place, gradients)], back
    if stated.function is None:
        g = partial(a)
    else:
        g, rule = delta, ACTIVATIONS[stated.function].back or pulled(a, symbol("z", place), G)
        is_short = rule.uses("g") == 1 or not whole
        values = {"g": handed if is_short else partial(a), "a": a, "z": symbol("z", place)}
        whole = [*([] if is_short else whole), Line(delta, rule.filled(values), shape)]
    values = _values(node, places) | {"g": g}
    gradients = [stated.gradients[p.name].filled(values, place) for p in node.params]
    back = [formula.filled(values, place) for formula in stated.back]
    return [*whole, *_gradient_lines(node, place, gradients)], back


def _gradient_lines(node: LayerNode, place: int, gradients: Sequence[Formula]) -> list[Line]:
    own = zip(node.params, _params(node, place), gradients, strict=True)
    return [Line(partial(p), gradient, param.shape) for param, p, gradient in own]


def _rows(shape: Shape) -> BatchShape:
    return (B, *shape)


def _recurrence(node: LayerNode) -> Recurrence | None:
    return node.layer.recurrence(*node.input_shapes)


def _values(node: LayerNode, places: Mapping[str, int]) -> dict[str, Formula]:
    return {f"x{k}": x for k, x in enumerate(_inputs(node, places))}


def _inputs(node: LayerNode, places: Mapping[str, int]) -> list[Formula]:
    return [symbol("a", places[source]) for source in node.inputs]


def _params(node: LayerNode, place: int) -> list[Formula]:
    return [symbol(letter(p.name), place) for p in node.params]
