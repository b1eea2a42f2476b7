"""Draw a bar chart of step times relative to nnjit's, for every workload and contestant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from scripts.benchmark.contestants import CONTESTANTS, OWN, PEERS
from scripts.benchmark.table import number

COLOURS = dict(zip(PEERS, ("#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#009e73"), strict=True))
INK, PALE = "#222222", "#dddddd"
GAP = 1.1  # between workloads, in bars
INCHES = 0.19  # of a bar
ROOM = 1.8  # a goal below this multiple of a bar's end would cross out the bar's number


def draw(trainings: list[dict[str, Any]], machine: dict[str, Any], path: Path) -> None:
    """Write a PNG of the measured workloads."""
    groups = [(t, _peers(t)) for t in trainings if "rows" in t]
    bars = sum(len(peers) for _, peers in groups)
    if not bars:
        return
    height = 1.7 + INCHES * (bars + GAP * len(groups))
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.subplots()
    positions, labels, top = [], [], 0.0
    for training, peers in groups:
        _draw_group(axes, peers, top)
        positions.append(top + (len(peers) - 1) / 2)
        labels.append(_label(training))
        top += len(peers) + GAP
    axes.set_yticks(positions, labels)
    axes.set_ylim(top - GAP, -1)
    _finish(axes, _shown(groups), machine)
    figure.suptitle("Training step time relative to nnjit", fontsize=12)
    figure.savefig(path, dpi=150)


def _peers(training: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in training["rows"] if row["contestant"] not in OWN]


def _shown(groups: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> list[str]:
    """The peers with a bar."""
    there = {row["contestant"] for _, peers in groups for row in peers}
    return [name for name in PEERS if name in there]


def _label(training: dict[str, Any]) -> str:
    step = number(training["rows"][0]["step"] * 1e6)
    return f"{training['name']}\n{training['network']}\nnnjit {step} µs"


def _draw_group(axes: Axes, peers: list[dict[str, Any]], top: float) -> None:
    """Draw a bar from 1 to each peer's ratio, its spread, its goal as a tick, and the ratio at its end."""
    for k, row in enumerate(peers):
        y, ratio, goal = top + k, row["ratio"], row["goal"] or 0
        axes.barh(y, ratio - 1, left=1, height=0.82, color=COLOURS[row["contestant"]], zorder=2)
        axes.plot([row["least"], row["most"]], [y, y], color=INK, linewidth=0.8, zorder=3)
        if goal:
            axes.plot([goal, goal], [y - 0.45, y + 0.45], color=INK, linewidth=2, zorder=4)
        end = max(1.0, row["most"])
        end = goal if end <= goal < ROOM * end else end
        text = f"{number(ratio)}×"
        axes.annotate(text, (end, y), (4, 0), textcoords="offset points", va="center", fontsize=8)


def _finish(axes: Axes, shown: list[str], machine: dict[str, Any]) -> None:
    axes.set_xscale("log")
    axes.axvline(1, color=INK, linewidth=1, zorder=3)
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    axes.grid(axis="x", color=PALE, zorder=0)
    axes.tick_params(axis="y", length=0, labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    where = f"{machine['cpu']}, {machine['cores']} cores, float32, {machine['time'][:10]}"
    axes.set_xlabel(
        f"step time ÷ nnjit's, log scale: bars to the right are slower than nnjit\n{where}", fontsize=9
    )
    handles: list[Any] = [Patch(color=COLOURS[name], label=CONTESTANTS[name].title) for name in shown]
    handles.append(
        Line2D([], [], color=INK, linestyle="", marker="|", markersize=9, markeredgewidth=2, label="goal")
    )
    handles.append(Line2D([], [], color=INK, linewidth=0.8, label="spread"))
    position = {"loc": "lower center", "bbox_to_anchor": (0.4, 1.0), "ncols": len(handles)}
    axes.legend(handles=handles, frameon=False, fontsize=8, columnspacing=1.2, **position)
