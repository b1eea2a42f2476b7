"""The lines of the cost: of one example, of a batch, and its derivative by the output."""

from __future__ import annotations

from nnjit.ir import B
from nnjit.nn.formula import Formula, Y, call, over_rows, partial, scaled, symbol, words
from nnjit.nn.losses.loss import Letter, Loss
from nnjit.nn.model.layer_node import LayerNode
from nnjit.nn.model.model import Model
from nnjit.nn.notation.line import Line, numbers
from nnjit.nn.notation.typeset import text, typeset

ONE_OVER_N = words("1/n")
EXAMPLE_COST = symbol("Cₖ")
WEIGHTS_NOTE = "an example of weight wₖ, its class weight included, counts as wₖ / Σ w instead of 1/n"


def cost_lines(model: Model, loss: Loss) -> list[Line]:
    """The cost of one example, and of the batch."""
    output = output_of(model)
    a, mean = symbol("a", numbers(model)[output.name]), scaled(ONE_OVER_N, over_rows(EXAMPLE_COST))
    example = cost_line(loss, EXAMPLE_COST, a, Y, _width(output))
    return [example, Line(symbol("C"), mean, (), WEIGHTS_NOTE)]


def cost_line(loss: Loss, cost: Formula, a: Formula, y: Formula, outputs: int) -> Line:
    """The cost of one example by the loss's formula, with the meanings of its letters and options.

    Args:
        a: the output, with `outputs` columns.
        y: the targets.
    """
    formula = words(loss.formula) if loss.formula else call(loss.type, a, y)
    notes = (loss.formula_note, _letters(loss, a, y, outputs), _options(loss))
    return Line(cost, formula, (B,), "; ".join(filter(None, notes)))


def slope_line(model: Model, loss: Loss) -> Line:
    """∂C/∂a of the output a. C is a mean, so it is 1/n of the derivative of one example's cost."""
    output = output_of(model)
    number = numbers(model)[output.name]
    a, slope = symbol("a", number), loss.slope(_width(output))
    slope = symbol("∂Cₖ/∂a", number) if slope is None else slope.filled({"a": a})
    return Line(partial(a), scaled(ONE_OVER_N, slope), (B, *output.output_shape))


def output_of(model: Model) -> LayerNode:
    """The layer whose output is the model's."""
    return next(node for node in model.nodes if node.name == model.output)


def _letters(loss: Loss, a: Formula, y: Formula, outputs: int) -> str:
    target = loss.counted(outputs).filled({"y": y})
    meanings: dict[Letter, Formula] = {"output": a, "z": a, "target": target, "t": target, "s": 2 * y - 1}
    said = [f"{letter} is {text(typeset(meanings[letter]))}" for letter in loss.letters]
    if loss.targets == "classes":
        said.append("with a class as a one-hot row")
    return ", ".join(said)


def _options(loss: Loss) -> str:
    """The numbers that the formula names; the target's letter includes label smoothing."""
    options = loss.model_dump(exclude={"type", "label_smoothing"}).items()
    return ", ".join(f"{name} = {value:g}" for name, value in options if isinstance(value, float))


def _width(output: LayerNode) -> int:
    return output.output_shape[-1] if output.output_shape else 1
