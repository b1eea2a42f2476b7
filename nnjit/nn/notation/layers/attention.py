"""`attention` in the lecture's notation: Q, K, V, scores S, weights P = softmax(S), and results H = P V."""

from __future__ import annotations

import math
from collections.abc import Callable

from nnjit.nn.array import Shape
from nnjit.nn.formula import Formula, G, X, at, call, over_last, over_rows, partial, symbol
from nnjit.nn.layers.attention import PARTS, Attention
from nnjit.nn.notation.recurrence import Recurrence, Step, letter
from nnjit.nn.notation.vocabulary import IS_DATA

MASK = symbol("m")


def attention(layer: Attention, x: Shape) -> Recurrence:
    """Four products as in `dense`, and between them the steps of each head."""
    projections, whole = (*PARTS, "output"), symbol("H")
    w, b = ({p: symbol(letter(f"{p}_{kind}")) for p in projections} for kind in ("weight", "bias"))
    projected = {part: symbol(part[0].upper()) for part in PARTS}
    of_output = _at_data(layer, G)
    handed = {part: partial(projected[part]) for part in PARTS} | {"output": of_output}
    read = dict.fromkeys(PARTS, X) | {"output": whole}
    first, *rest = (handed[part] @ w[part].T for part in PARTS)
    return Recurrence(
        _at_data(layer, whole @ w["output"] + b["output"]),
        (sum(rest, first),),
        {f"{p}_weight": read[p].T @ handed[p] for p in projections}
        | {f"{p}_bias": over_rows(handed[p]) for p in projections},
        words=_words(layer),
        forward=(
            *_mask(layer, x),
            *(Step(projected[part], X @ w[part] + b[part], x) for part in PARTS),
            *_head_forward(layer, x),
        ),
        backward=(Step(partial(whole), of_output @ w["output"].T, x), *_head_backward(layer, x)),
    )


def _head_forward(layer: Attention, x: Shape) -> tuple[Step, ...]:
    """From Q, K and V to H, for each head."""
    query, key, value, score, weight, result = map(_of_head(layer), "QKVSPH")
    steps, size = x[0], x[1] // layer.heads
    product = 1 / math.sqrt(size) * (query @ key.T)
    if layer.mask_value is not None:
        product = call("masked", product)
    if layer.causal:
        product = call("causal", product)
    return (
        Step(score, product, (steps, steps)),
        Step(weight, call("softmax", score), (steps, steps)),
        Step(result, weight @ value, (steps, size)),
    )


def _head_backward(layer: Attention, x: Shape) -> tuple[Step, ...]:
    """From ∂C/∂H to the derivatives by Q, K and V, for each head."""
    query, key, value, score, weight, result = map(_of_head(layer), "QKVSPH")
    steps, size = x[0], x[1] // layer.heads
    scale, of_weight = 1 / math.sqrt(size), partial(result) @ value.T
    of_score = weight * (of_weight - over_last(weight * of_weight))
    return (
        Step(partial(value), weight.T @ partial(result), (steps, size)),
        Step(partial(score), of_score, (steps, steps)),
        Step(partial(query), scale * (partial(score) @ key), (steps, size)),
        Step(partial(key), scale * (partial(score).T @ query), (steps, size)),
    )


def _of_head(layer: Attention) -> Callable[[str], Formula]:
    """A letter -> the matrix of head h, or the whole matrix for a single head."""
    return symbol if layer.heads == 1 else lambda name: at(symbol(name), "h")


def _mask(layer: Attention, x: Shape) -> tuple[Step, ...]:
    return () if layer.mask_value is None else (Step(MASK, call("is_data", X), (x[0], 1)),)


def _at_data(layer: Attention, of: Formula) -> Formula:
    """The formula, with 0 at the steps of padding."""
    return of if layer.mask_value is None else MASK * of


def _words(layer: Attention) -> dict[str, str]:
    words = {"Q, K, V, S, P, H": "a matrix for each example, so Q Kᵀ is steps × steps"}
    if layer.heads > 1:
        words["Q[h]"] = "its columns for head h, an equal part of all"
    if layer.mask_value is not None:
        words |= IS_DATA | {"masked(S)": "S, but −10⁹ where a step would read padding"}
    if layer.causal:
        words["causal(S)"] = "S, but −∞ where a step would read a later one"
    return words
