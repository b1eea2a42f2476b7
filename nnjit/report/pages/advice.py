"""Give advice on a run: one sentence for each rule that applies.

A rule applies only if its symptom is clear; `RULES` has the thresholds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import column_name, number, percent
from nnjit.runs.status import Status

FEWEST = 10  # epochs; a shorter history shows nothing
PASSING = ("select", "reshape", "flatten", "permute", "concat")  # layers that leave values unchanged
MEETING = ("embedding", "batch_norm", "layer_norm", "scale")  # layers that accept values of any size
SMOOTHED = 5  # epochs whose median is used as the loss


@dataclass(frozen=True)
class Rule:
    """A symptom, and what to do about it.

    Args:
        sign: the value that is compared with the threshold, in words.
        find: returns the sentence for a run and the threshold; None without the symptom.
    """

    name: str
    threshold: float
    sign: str
    find: Callable[[RunFiles, float], str | None]


def advice(run: RunFiles) -> list[str]:
    """The sentences of the rules that apply to the run, in the order of `RULES`."""
    return [text for rule in RULES if (text := rule.find(run, rule.threshold))]


def _unscaled(run: RunFiles, threshold: float) -> str | None:
    if not run.data.magnitude > threshold or _is_met_by_a_layer(run):
        return None
    size = number(run.data.magnitude, 2)
    return (
        f"Some inputs have a size of about {size}, but initial weights suit inputs of about 1: data.scale: "
        "standard would bring all features there."
    )


def _is_met_by_a_layer(run: RunFiles) -> bool:
    """Whether the data first enters a layer that normalises it or reads it as indices."""
    raw = {"input"}
    for layer in run.model.layers:
        if raw.intersection(layer.inputs):
            if layer.type in MEETING:
                return True
            raw |= {layer.name} if layer.type in PASSING else set()
    return False


def _oscillates(run: RunFiles, threshold: float) -> str | None:
    losses = _finite(run.history["train_loss"])
    if len(losses) < FEWEST:
        return None
    late = np.diff(losses[len(losses) // 2 :])
    rising = float(np.mean(late > 0))
    fall = losses.max() - losses.min()
    if not 0.25 <= rising <= 0.75 or np.median(abs(late)) <= threshold * fall:
        return None
    jump = percent(float(np.median(abs(late)) / fall))
    return (
        f"From one epoch to the next, the training loss still jumps by {jump} of its whole range: "
        "the learning rate is too high, or the batches are too small."
    )


def _rash(run: RunFiles, threshold: float) -> str | None:
    layer, ratio = _worst(run, "update_ratio", np.median)
    if not ratio > threshold:
        return None
    return f'Each step changes the weights of "{layer}" by {percent(ratio)}: the learning rate is too high.'


def _dead(run: RunFiles, threshold: float) -> str | None:
    layer, fraction = _worst(run, "dead", _last)
    if not fraction >= threshold:
        return None
    return (
        f'{percent(fraction)} of the units of "{layer}" are dead: their relu was 0 for every sampled row. '
        "A lower learning rate, or leaky_relu, keeps units alive."
    )


def _saturated(run: RunFiles, threshold: float) -> str | None:
    layer, fraction = _worst(run, "saturated", _last)
    if not fraction >= threshold:
        return None
    return (
        f'{percent(fraction)} of the outputs of "{layer}" are saturated and pass hardly any gradient: '
        "scaled inputs, smaller initial weights or a lower learning rate help."
    )


def _vanishing(run: RunFiles, threshold: float) -> str | None:
    named = run.diagnosis.by_layer("gradient_norm") if run.diagnosis else {}
    typical = {layer: float(np.median(_finite(values))) for layer, values in named.items()}
    typical = {layer: norm for layer, norm in typical.items() if norm > 0}  # no gradient is not a small one
    if not typical or not min(typical.values()) < threshold * max(typical.values()):
        return None
    least, most = min(typical, key=typical.__getitem__), max(typical, key=typical.__getitem__)
    return (
        f'The gradient of "{least}" is {number(typical[most] / typical[least], 2)} times smaller than that '
        f'of "{most}", so "{least}" hardly learns: relu, residual connections or fewer layers help.'
    )


def _overfits(run: RunFiles, threshold: float) -> str | None:
    train, held_out = run.history["train_loss"], run.history["validation_loss"]
    if run.metrics.status is Status.EARLY_STOPPED or len(_finite(held_out)) < max(FEWEST, len(held_out)):
        return None
    best = int(np.argmin(held_out))
    end, rest = float(np.median(held_out[-SMOOTHED:])), len(held_out) - best
    if rest <= SMOOTHED or end <= threshold * held_out[best] or np.median(train[-SMOOTHED:]) >= train[best]:
        return None
    return (
        f"It has overfitted since epoch {run.history.epoch[best]:,}: the validation loss has risen "
        f"{_risen(end / held_out[best])} while the training loss kept falling. {_mend(run)}; dropout, "
        "an l2 penalty or more data reduce overfitting."
    )


def _mend(run: RunFiles) -> str:
    if run.metrics.weights == "last":
        return "`keep: best` or early stopping keeps the weights of that epoch"
    return f"The weights of epoch {run.metrics.best_epoch:,} were kept; early stopping ends soon after it"


def _risen(ratio: float) -> str:
    return f"by {percent(ratio - 1)}" if ratio < 3 else f"to {number(ratio, 2)} times its lowest"


def _still_falls(run: RunFiles, threshold: float) -> str | None:
    rises = run.metrics.mode == "max"
    column = run.metrics.monitor or "train_loss"
    losses = run.history[column] * (-1 if rises else 1)
    tenth = len(losses) // 10
    if run.metrics.status is not Status.COMPLETED or tenth < 2 or len(_finite(losses)) < len(losses):
        return None
    before, after = (float(np.median(part)) for part in (losses[-2 * tenth : -tenth], losses[-tenth:]))
    gain = (before - after) / max(losses.max() - losses.min(), np.finfo(float).tiny)
    if not gain > threshold:
        return None
    return (
        f"The {column_name(column)} was still {'rising' if rises else 'falling'} at the end, by "
        f"{percent(gain)} of its whole range in the last tenth of the epochs: "
        f"more epochs would {'raise' if rises else 'lower'} it further."
    )


def _finite(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.isfinite(values)])


def _last(values: np.ndarray) -> float:
    return float(values[-1])


def _worst(run: RunFiles, value: str, of: Callable[[np.ndarray], float]) -> tuple[str, float]:
    """The layer with the highest value of a kind, and that value; nan without a diagnosis."""
    named = run.diagnosis.by_layer(value) if run.diagnosis else {}
    found = {layer: float(of(_finite(values))) for layer, values in named.items()}
    return max(found.items(), key=lambda item: item[1]) if found else ("", float("nan"))


# fmt: off
RULES = (
    Rule("unscaled",    10,   "root mean square of the largest input feature", _unscaled),
    Rule("oscillates",  0.1,  "median late change of the training loss ÷ its range", _oscillates),
    Rule("rash",        0.1,  "median ‖Δθ‖/‖θ‖ of a step in a layer", _rash),
    Rule("dead",        0.5,  "fraction of a layer's units that are 0 for all rows, at the end", _dead),
    Rule("saturated",   0.8,  "fraction of a layer's outputs within 1 % of a bound, at the end", _saturated),
    Rule("vanishing",   1e-3, "smallest ÷ largest gradient norm of a layer, of medians", _vanishing),
    Rule("overfits",    1.1,  "final ÷ lowest validation loss, while the training loss fell", _overfits),
    Rule("still_falls", 0.02, "gain of the monitored value in the last tenth ÷ its range", _still_falls),
)
# fmt: on
