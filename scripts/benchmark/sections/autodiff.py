"""Time gradients in float64: nnjit's `jit(grad(f))` and other libraries', in turn."""

from __future__ import annotations

import math
import statistics
from typing import Any

from scripts.benchmark.children import Child, ChildError, Spec, started
from scripts.benchmark.contestants import GRADIENTS
from scripts.benchmark.functions import FUNCTIONS, Function
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number

OURS = "gradient"
TOLERANCE = 1e-9
HEADER = ("", "µs a call", "× nnjit", "from - to")
Rounds = dict[str, list[float]]


def run(settings: Settings) -> list[dict[str, Any]]:
    """Time the gradient of every function in every installed library."""
    print("\nGradients, float64; compilation does not count", flush=True)
    return [_measure(function, settings) for function in FUNCTIONS.values()]


def _measure(function: Function, settings: Settings) -> dict[str, Any]:
    specs = {name: Spec(name, function.name) for name in GRADIENTS}
    with started(specs, settings.logs) as (children, missing):
        if OURS not in children:
            raise ChildError(missing[OURS])
        _check(children)
        rounds = _race(children, settings)
    print(f"\n{function.name}: {function.what}")
    print(aligned(HEADER, [_cells(name, rounds) for name in rounds]), flush=True)
    for name, reason in missing.items():
        print(f"  {GRADIENTS[name].title}: left out, {reason}")
    return {"function": function.name, "rounds": rounds, "missing": missing}


def _check(children: dict[str, Child]) -> None:
    """Raise ChildError if the gradients differ."""
    digests = {name: child.ask("digest") for name, child in children.items()}
    for name, given in digests.items():
        pairs = zip(given, digests[OURS], strict=True)
        if not all(math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for a, b in pairs):
            title = GRADIENTS[name].title
            raise ChildError(f"{title} has another gradient: {given}, nnjit's {digests[OURS]}")


def _race(children: dict[str, Child], settings: Settings) -> Rounds:
    """Seconds per call of each, in turn."""
    calls = {
        name: max(1, math.ceil(settings.seconds / child.ask("time", 3))) for name, child in children.items()
    }
    rounds: Rounds = {name: [] for name in children}
    for _ in range(settings.rounds):
        for name, child in children.items():
            rounds[name].append(child.ask("time", calls[name]))
    return rounds


def _cells(name: str, rounds: Rounds) -> list[str]:
    ratios = [a / b for a, b in zip(rounds[name], rounds[OURS], strict=True)]
    return [
        GRADIENTS[name].title,
        number(statistics.median(rounds[name]) * 1e6),
        number(statistics.median(ratios)),
        f"{number(min(ratios))} - {number(max(ratios))}",
    ]
