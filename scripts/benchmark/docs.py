"""Write the table of `docs/performance.md` between its two marker comments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.benchmark.children import ROOT
from scripts.benchmark.contestants import CONTESTANTS, OWN, PEERS
from scripts.benchmark.table import number

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def rewrite(results: dict[str, Any], page: Path = PAGE) -> None:
    """Replace the page's table with these results."""
    before, found, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found and found_end):
        raise ValueError(f"{page}: the markers {BEGIN} and {END} are missing")
    page.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}", encoding="utf-8")


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table, with a footnote about the machine."""
    measured = [t for t in results["workloads"]["trainings"] if "rows" in t]
    there = {row["contestant"] for t in measured for row in t["rows"]}
    peers = [name for name in PEERS if name in there]
    header = [
        "workload",
        "network",
        "nnjit: µs a step",
        "of GEMM",
        "one thread",
        *(CONTESTANTS[name].title for name in peers),
    ]
    lines = [header, ["---"] * len(header), *(_row(t, peers) for t in measured)]
    return "\n".join([*map(_line, lines), "", _footnote(results)])


def _row(training: dict[str, Any], peers: Sequence[str]) -> list[str]:
    rows = {row["contestant"]: row for row in training["rows"]}
    step = number(rows["nnjit"]["step"] * 1e6)
    shares = [f"{rows[name]['of_gemm']:.0%}" if name in rows else "–" for name in OWN]
    ratios = [f"{number(rows[name]['ratio'])}×" if name in rows else "–" for name in peers]
    return [f"`{training['name']}`", training["network"], step, *shares, *ratios]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _footnote(results: dict[str, Any]) -> str:
    machine = results["machine"]
    packages = machine["packages"]
    noise = max(t["noise"] for t in results["workloads"]["trainings"] if "rows" in t)
    versions = ", ".join(
        f"{name} {packages[name]}" for name in ("jax", "torch", "scikit-learn") if packages[name]
    )
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {results['workloads']['gemm']:.0f} GFLOP/s in NumPy's "
        f"large products; {versions}; {machine['time'][:10]}. Other processes used at most {noise:.0%} of a "
        "core meanwhile."
    )
