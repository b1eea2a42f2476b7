"""The command line of `scripts/bench.py`."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.benchmark import chart
from scripts.benchmark.children import ROOT
from scripts.benchmark.contestants import CONTESTANTS, PEERS
from scripts.benchmark.docs import PAGE, rewrite
from scripts.benchmark.machine import BUSY, TOO_BUSY, describe
from scripts.benchmark.sections import SECTIONS
from scripts.benchmark.settings import Settings
from scripts.benchmark.workloads import WORKLOADS

QUICK_PEERS = ("jax_scan", "torch_eager")
"""Usually the fastest of each library; each further peer would take as long again."""
QUICK_SECTIONS = ("workloads",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen measurements, and write the results."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.docs and (given.quick or given.only or given.peers is not None):
        parser.error("--docs needs a full run, without --quick, --only or --peers")
    settings, begin = _settings(given), time.perf_counter()
    results: dict[str, Any] = {"machine": describe(), "quick": settings.quick, "rounds": settings.rounds}
    _introduce(results["machine"], settings)
    for name in given.section or (QUICK_SECTIONS if settings.quick else SECTIONS):
        results[name] = SECTIONS[name](settings)
    results["seconds"] = time.perf_counter() - begin
    _write(results, settings.output, docs=given.docs)
    print(f"\n{results['seconds']:.0f} s; results in {settings.output}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench.py", description=__doc__)
    add = parser.add_argument
    add(
        "--quick",
        action="store_true",
        help="only the workloads, in fewer and shorter rounds, within 3 minutes; unless --peers is given, "
        f"against two peers ({', '.join(QUICK_PEERS)})",
    )
    add("--only", nargs="+", choices=WORKLOADS, metavar="NAME", help=f"workloads: {', '.join(WORKLOADS)}")
    add("--peers", nargs="*", choices=PEERS, metavar="NAME", help=f"contestants: {', '.join(PEERS)}")
    add("--section", nargs="+", choices=SECTIONS, metavar="NAME", help=f"parts: {', '.join(SECTIONS)}")
    add("--rounds", type=int, help="timings of each contestant (5; 3 with --quick)")
    add("--output", type=Path, default=Path("bench"), help="folder for the results (bench)")
    add("--docs", action="store_true", help=f"rewrite the table in {PAGE.relative_to(ROOT)}")
    return parser


def _settings(given: argparse.Namespace) -> Settings:
    peers = QUICK_PEERS if given.quick else PEERS
    return Settings(
        quick=given.quick,
        rounds=given.rounds or (3 if given.quick else 5),
        seconds=0.1 if given.quick else 0.4,
        workloads=tuple(given.only or WORKLOADS),
        peers=peers if given.peers is None else tuple(given.peers),
        output=given.output,
    )


def _introduce(machine: dict[str, Any], settings: Settings) -> None:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items() if version)
    print(f"{machine['cpu']}, {machine['cores']} cores; Python {machine['python']}, {packages}")
    if machine["load"] > BUSY:
        print(f"take care: other processes keep {machine['load']:.1f} cores busy")
    if settings.quick:
        titles = " and ".join(CONTESTANTS[name].title for name in settings.peers) or "nothing else"
        print(f"quick: few and short rounds against {titles}; a full run gives steadier results")


def _write(results: dict[str, Any], output: Path, *, docs: bool) -> None:
    """Write the JSON and, if workloads were measured, the chart and the table of the docs."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if "workloads" not in results:
        return
    chart.draw(results["workloads"]["trainings"], results["machine"], output / "speed.png")
    if docs and any(t.get("noise", 1.0) > TOO_BUSY for t in results["workloads"]["trainings"]):
        print(f"\n{PAGE.name} is not changed: a workload was stopped, or other processes were busy")
    elif docs:
        rewrite(results)
