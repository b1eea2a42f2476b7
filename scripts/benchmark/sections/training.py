"""Time a step of every workload in every contestant, after a check that all compute the same."""

from __future__ import annotations

import math
import statistics
from typing import Any, NamedTuple

from scripts.benchmark.children import Child, ChildError, Spec, started
from scripts.benchmark.contestants import CONTESTANTS, OWN
from scripts.benchmark.machine import BUSY, gemm_rate
from scripts.benchmark.race import Race, race
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict
from scripts.benchmark.workloads import Workload

TOLERANCE = 1e-4  # relative, of losses in float32 after a few steps
HEADER = ("", "µs a step", "× nnjit", "from - to", "GFLOP/s", "of GEMM", "goal", "")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
Row = dict[str, Any]


class Gemm(NamedTuple):
    """GFLOP/s of NumPy's large products on all cores, and on one."""

    all: float
    one: float


def run(settings: Settings) -> dict[str, Any]:
    """Measure the chosen workloads."""
    gemm = Gemm(gemm_rate(), gemm_rate(**ONE_THREAD))
    print(f"GEMM rate: {gemm.all:.0f} GFLOP/s (float32, 1024³, NumPy on all cores); {gemm.one:.0f} on one")
    trainings = [_measure(w, settings, gemm) for w in settings.chosen]
    return {"gemm": gemm.all, "gemm_one": gemm.one, "trainings": trainings}


def _measure(workload: Workload, settings: Settings, gemm: Gemm) -> dict[str, Any]:
    batch = f"batch {workload.batch}" if workload.batch else f"full batch of {workload.rows}"
    loss, optimizer = (name.replace("_", " ") for name in (workload.loss, workload.optimizer["type"]))
    print(f"\n{workload.name}: {workload.network}, {loss}, {optimizer}, {batch}", flush=True)
    result: dict[str, Any] = {"name": workload.name, "network": workload.network}
    specs = {name: Spec(name, workload.name) for name in (*OWN, *settings.peers)}
    try:
        with started(specs, settings.logs) as (children, missing):
            losses = _check(children)
            raced = race(children, settings)
    except ChildError as error:
        print(f"  stopped: {error}")
        return result | {"error": str(error)}
    rows = [_row(name, workload, raced, gemm) for name in raced.seconds]
    _show(rows, missing, raced.noise)
    return result | {"losses": losses, "rows": rows, "missing": missing, "noise": raced.noise}


def _check(children: dict[str, Child]) -> dict[str, list[float]]:
    """Compare the losses of all contestants, and return them.

    Raises:
        ChildError: nnjit did not start, or the losses differ.
    """
    if "nnjit" not in children:
        raise ChildError("nnjit could not be started; see its log")
    losses = {name: child.ask("losses") for name, child in children.items()}
    for name, given in losses.items():
        pairs = zip(given, losses["nnjit"], strict=True)
        if not all(math.isclose(a, b, rel_tol=TOLERANCE) for a, b in pairs):
            title = CONTESTANTS[name].title
            raise ChildError(f"{title} does not compute the same: losses {given}, nnjit's {losses['nnjit']}")
    return losses


def _row(name: str, workload: Workload, raced: Race, gemm: Gemm) -> Row:
    ratios, median = raced.ratios(name, "nnjit"), raced.median(name)
    ratio, rate = statistics.median(ratios), workload.flops / median / 1e9
    share = rate / (gemm.one if name == "nnjit_one" else gemm.all)
    goal, reached = (workload.share, share) if name in OWN else (workload.goals.get(name), ratio)
    return {
        "contestant": name, "rounds": raced.seconds[name], "step": median,
        "ratio": ratio, "least": min(ratios), "most": max(ratios),
        "gflops": rate, "of_gemm": share,
        "goal": goal, "reached": None if goal is None else reached >= goal,
    }  # fmt: skip


def _show(rows: list[Row], missing: dict[str, str], noise: float) -> None:
    print(aligned(HEADER, [_cells(row) for row in rows]))
    for name, reason in missing.items():
        print(f"  {CONTESTANTS[name].title}: not available, {reason}")
    if noise > BUSY:
        print(f"  do not trust these results: other processes used {noise:.0%} of a core meanwhile")


def _cells(row: Row) -> list[str]:
    goal = row["goal"]
    return [
        CONTESTANTS[row["contestant"]].title,
        number(row["step"] * 1e6),
        number(row["ratio"]),
        f"{number(row['least'])} - {number(row['most'])}",
        number(row["gflops"]),
        f"{row['of_gemm']:.1%}",
        "" if goal is None else f"{goal:.0%}" if row["contestant"] in OWN else f"{goal:g}×",
        "" if goal is None else verdict(row["reached"]),
    ]
