"""The formulas in the help of schedules and averages, evaluated as written, give the computed values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

import numpy as np
import pytest

from nnjit.config import schema
from nnjit.optim import averagings, blend, schedules
from nnjit.optim.schedules.plateau import Plateau

PEAK, PER_EPOCH, EPOCHS = 0.4, 5, 8
TOTAL = PER_EPOCH * EPOCHS
SYMBOLS = {"·": "*", "^": "**", "√": "sqrt", "π": "pi", "⌊": "floor(", "⌋": ")", "θ̄": "mean", "θ": "theta"}
NAMES = {"sqrt": math.sqrt, "floor": math.floor, "cos": math.cos, "pi": math.pi, "min": min, "max": max,
         "round": round}  # fmt: skip

# fmt: off
ROWS: list[dict[str, Any]] = [
    {"type": "constant"},
    {"type": "step", "every": 3, "factor": 0.5},
    {"type": "exponential", "factor": 0.5},
    {"type": "inverse_sqrt"},
    {"type": "inverse_sqrt", "timescale": 2.5},
    {"type": "piecewise", "factors": ((2, 0.5), (4.3, 0.1))},
    {"type": "piecewise", "factors": ((1.5, 0.5), (1.6, 0.25))},
    {"type": "cosine", "floor": 0.1},
    {"type": "cosine", "end": 5.5},
    {"type": "polynomial", "power": 2.0, "floor": 0.1, "end": 5.5},
    {"type": "cosine_restarts", "period": 2, "floor": 0.1},
    {"type": "cosine_restarts", "period": 1, "growth": 2},
    {"type": "one_cycle", "rise": 0.33, "start": 0.1, "finish": 0.01},
]
AVERAGES: list[dict[str, Any]] = [
    {"type": "ema"},
    {"type": "ema", "decay": 0.3},
    {"type": "ema", "decay": 0.3, "warmup": False},
    {"type": "swa", "start": 1},
    {"type": "swa", "start": 3},
]
# fmt: on


def help_of(name: str, option: str = "") -> str:
    """The help of a class, or of one of its options, in the JSON Schema, on one line."""
    entry = SCHEMA[name]
    text = entry["properties"][option]["description"] if option else entry["description"].partition("\n\n")[0]
    return " ".join(text.split())


SCHEMA = {
    entry["properties"]["type"]["const"]: entry
    for entry in schema()["$defs"].values()
    if entry.get("properties", {}).get("type", {}).get("const") in (*schedules, *averagings)
}


def evaluate(formula: str, names: Mapping[str, Any]) -> Any:
    """The value of a help text's formula, where a space between two values multiplies them."""
    for symbol, text in SYMBOLS.items():
        formula = formula.replace(symbol, text)
    formula = re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", formula)
    return eval(formula, {"__builtins__": {}}, {**NAMES, **names})


def found(pattern: str, text: str) -> tuple[str, ...]:
    """The groups of a pattern that the text must match."""
    match = re.search(pattern, text)
    assert match, (pattern, text)
    return match.groups()


def warm_up(names: dict[str, Any]) -> tuple[Callable[[int], float], int]:
    """The rate in the warm-up by the option's help, and its updates."""
    formula, updates = found(
        r"lr = (.+?), for update s = 0, 1, … of the W = (.+?) in", help_of("step", "warmup")
    )
    rise = evaluate(updates, names)
    return lambda s: evaluate(formula, {**names, "s": s, "W": rise}), rise


def after_warm_up(text: str, options: Mapping[str, Any], names: dict[str, Any], rise: int) -> list[float]:
    """The rates of the updates after the warm-up, by the schedule's help."""
    end = options.get("end")
    steps = TOTAL - rise if end is None else round(end * PER_EPOCH) - rise
    if "then lr" in text:
        rising, falling, top = found(
            r"lr = (.+) for s < R, then lr = (.+?), for update.*with R = (.+?)\.?$", text
        )
        names = {**names, "S": steps, "R": evaluate(top, {**names, "S": steps})}
        each = [rising if s < names["R"] else falling for s in range(TOTAL - rise)]
        return [evaluate(formula, {**names, "s": s}) for s, formula in enumerate(each)]
    (formula,) = found(r"^lr = (.+?)(?:\.$|, for )", text)
    if "n = " in text:
        names["n"] = evaluate(*found(r"with n = (.+?),", text), names)
    return [
        evaluate(formula, {**names, "s": s, "S": steps, **extra(text, options, names, s, s + rise)})
        if s < steps or "floor afterwards" not in text
        else names["floor"]
        for s in range(TOTAL - rise)
    ]


def extra(text: str, options: Mapping[str, Any], names: dict[str, Any], s: int, t: int) -> dict[str, Any]:
    """The names in a formula besides options: the factor of a pair, or the place in a fall."""
    if "pair [epoch, f]" in text:
        (condition,) = found(r"with (round.+?), or 1", text)
        placed = [({**names, "epoch": epoch, "t": t}, f) for epoch, f in options["factors"]]
        over = [f for values, f in placed if evaluate(condition, values)]
        return {"f": over[-1] if over else 1.0}
    if "of a fall" in text:
        (first,) = found(r"of a fall: (.+?) in the first", text)
        lengths = [evaluate(first, names) * names["growth"] ** k for k in range(TOTAL)]
        starts = [0, *accumulate(lengths)]
        fall = max(k for k in range(TOTAL) if starts[k] <= s)
        return {"r": s - starts[fall], "L": lengths[fall]}
    return {}


def names_of(options: Any) -> dict[str, Any]:
    return {**dict(options), "peak": PEAK, "E": PER_EPOCH}


def test_every_schedule_and_average_has_a_row() -> None:
    assert {r["type"] for r in ROWS} | {"reduce_on_plateau"} == set(schedules)
    assert {r["type"] for r in AVERAGES} == set(averagings)


@pytest.mark.parametrize("options", ROWS, ids=str)
@pytest.mark.parametrize("warmup", [0.0, 1.0, 1.5])
def test_the_rate_of_each_update_is_that_of_the_help(options: dict[str, Any], warmup: float) -> None:
    if options["type"] == "one_cycle" and warmup:
        return
    schedule = schedules[options["type"]].model_validate({**options, "warmup": warmup})
    names, text = names_of(schedule), help_of(options["type"])
    names["timescale"] = names.get("timescale") or warmup or 1.0
    rising, rise = warm_up(names)
    expected = [rising(s) for s in range(rise)] + after_warm_up(text, options, names, rise)
    got = schedule.lr(np.arange(TOTAL), learning_rate=PEAK, steps_per_epoch=PER_EPOCH, epochs=EPOCHS)
    np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_the_rate_on_a_plateau_is_that_of_the_help() -> None:
    schedule = schedules["reduce_on_plateau"].model_validate({"patience": 2, "factor": 0.5, "floor": 0.15})
    (formula,) = found(r"^lr = (.+?), after a value failed k times", help_of("reduce_on_plateau"))
    plateau, losses, drops = (
        Plateau(),
        [3.0, 2.0, 2.0, 2.5, 1.0, 1.0, 1.0, 1.0, 1.0],
        [0, 0, 0, 1, 1, 1, 2, 2, 3],
    )
    for loss, k in zip(losses, drops, strict=True):
        plateau = schedule.after(plateau, loss)
        assert schedule.lowered(plateau, PEAK) == evaluate(formula, {**names_of(schedule), "k": k})


@pytest.mark.parametrize("options", AVERAGES, ids=str)
def test_the_average_after_each_update_is_that_of_the_help(options: dict[str, Any]) -> None:
    averaging = averagings[options["type"]].model_validate(options)
    next_mean = {"ema": next_ema, "swa": next_swa}[options["type"]]
    thetas = np.random.default_rng(0).normal(size=TOTAL)
    fractions = averaging.fractions(np.arange(TOTAL), steps_per_epoch=PER_EPOCH)
    average = expected = 7.0
    for s, (theta, fraction) in enumerate(zip(thetas, fractions, strict=True)):
        average = blend(average, theta, fraction)
        expected = next_mean(help_of(options["type"]), {**dict(averaging), "s": s}, expected, theta)
        assert average == pytest.approx(expected, rel=1e-12), s


def next_ema(text: str, names: dict[str, Any], mean: float, theta: float) -> float:
    update, first, later = found(
        r"^θ̄ ← (.+?) after every .*d = (\d) for the first.*d = (.+?) for s = 1,", text
    )
    later = later if names["warmup"] else "decay"  # as the paragraph below the formula says
    d = evaluate(later if names["s"] else first, names)
    return float(evaluate(update, {**names, "mean": mean, "theta": theta, "d": d}))


def next_swa(text: str, names: dict[str, Any], mean: float, theta: float) -> float:
    update, divisor = found(
        r"up to the end of epoch `start`, then θ̄ ← (.+?) at the end of .*k = (.+?)\.$", text
    )
    done, rest = divmod(names["s"] + 1, PER_EPOCH)
    if done + (rest > 0) <= names["start"]:
        return theta
    k = evaluate(divisor, {**names, "epoch": done})
    return mean if rest else float(evaluate(update, {"mean": mean, "theta": theta, "k": k}))
