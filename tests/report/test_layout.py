"""The layout of the layer graph, and the placement of labels: nothing overlaps, no box is crossed."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from nnjit.report.files import read_run
from nnjit.report.pictures.canvas import outline
from nnjit.report.pictures.layer_graph import lay_out
from nnjit.report.pictures.layout import Box, Layout, Route, arrange
from nnjit.report.pictures.placement import spread
from tests.report.run_folders import KINDS

HEIGHT = 40
Edges = list[tuple[str, str]]


def chain(*names: str) -> Edges:
    return list(pairwise(names))


def random_graph(seed: int, nodes: int, density: float) -> Edges:
    """A graph in which every node but the first reads an earlier one, and some read several."""
    rng = np.random.default_rng(seed)
    edges = []
    for k in range(1, nodes):
        sources = {int(rng.integers(max(0, k - 3), k))} | {j for j in range(k) if rng.random() < density}
        edges += [(f"n{j}", f"n{k}") for j in sorted(sources)]
    return edges


# fmt: off
GRAPHS: dict[str, Edges] = {
    "one skip":        [*chain("a", "b", "c", "d"), ("a", "d")],
    "nested skips":    [*chain("a", "b", "c", "d", "e"), ("a", "d"), ("a", "e"), ("b", "e")],
    "crossing skips":  [*chain("a", "b", "c", "d", "e", "f"), ("a", "d"), ("b", "e"), ("c", "f")],
    "branches":        [("a", x) for x in "bcdefg"] + [(x, "z") for x in "bcdefg"],
    "uneven branches": [*chain("a", "b", "c", "d", "z"), *chain("a", "e", "z"), ("a", "z")],
    "two sinks":       [("a", "b"), ("a", "c"), ("b", "d")],
    "chain of 20":     chain(*(f"n{k}" for k in range(20))),
    "residual tower":  chain(*(f"n{k}" for k in range(21))) + [(f"n{k}", f"n{k+2}") for k in range(0, 19, 2)],
    "densely joined":  [(f"n{j}", f"n{k}") for k in range(1, 8) for j in range(k)],
    **{f"random {seed}": random_graph(seed, 25, 0.06) for seed in range(12)},
}
# fmt: on


def laid_out(edges: Edges) -> Layout:
    names = sorted({name for edge in edges for name in edge}, key=lambda name: depth(name, edges))
    widths = {name: 60.0 + 37 * (k % 4) for k, name in enumerate(names)}
    return arrange(widths, edges, box_height=HEIGHT)


def depth(name: str, edges: Edges) -> int:
    return max((depth(source, edges) + 1 for source, target in edges if target == name), default=0)


def assert_clear(layout: Layout) -> None:
    for (a, box), (b, other) in combinations(layout.boxes.items(), 2):
        apart_x = abs(box.x - other.x) >= (box.width + other.width) / 2
        apart_y = abs(box.y - other.y) >= (box.height + other.height) / 2
        assert apart_x or apart_y, f"{a} overlaps {b}"
    for route in layout.routes:
        x, y = sampled(route)
        assert (np.diff(y) >= 0).all(), "an arrow runs upwards"
        for name, box in layout.boxes.items():
            assert not inside(box, x, y).any(), f"{route.source} -> {route.target} runs through {name}"


def inside(box: Box, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether points are strictly inside a box."""
    return (abs(x - box.x) < box.width / 2 - 1e-6) & (abs(y - box.y) < box.height / 2 - 1e-6)


def sampled(route: Route) -> tuple[np.ndarray, np.ndarray]:
    """Points along the drawn curve."""
    parts = outline(route)
    points, here, controls = [], parts[0][1], []
    for code, vertex in parts[1:]:
        if code == 2 and not controls:
            points += [(1 - t) * np.array(here) + t * np.array(vertex) for t in np.linspace(0, 1, 9)]
            here = vertex
        controls = [*controls, np.array(vertex)] if code == 4 else []
        if len(controls) == 3:
            p, (q, r, s) = np.array(here), controls
            ts = np.linspace(0, 1, 25)
            points += [
                (1 - t) ** 3 * p + 3 * t * (1 - t) ** 2 * q + 3 * t**2 * (1 - t) * r + t**3 * s for t in ts
            ]
            here, controls = vertex, []
    return np.array(points)[:, 0], np.array(points)[:, 1]


@pytest.mark.parametrize("edges", GRAPHS.values(), ids=GRAPHS)
def test_boxes_do_not_overlap_and_no_arrow_runs_through_one(edges: Edges) -> None:
    assert_clear(laid_out(edges))


@pytest.mark.parametrize("edges", GRAPHS.values(), ids=GRAPHS)
def test_every_arrow_leaves_its_source_and_reaches_its_target(edges: Edges) -> None:
    layout = laid_out(edges)
    assert [(route.source, route.target) for route in layout.routes] == edges
    for route in layout.routes:
        source, target = layout.boxes[route.source], layout.boxes[route.target]
        assert route.points[0] == pytest.approx((source.x, source.y + HEIGHT / 2))
        assert route.points[-1] == pytest.approx((target.x, target.y - HEIGHT / 2))


@pytest.mark.parametrize("edges", GRAPHS.values(), ids=GRAPHS)
def test_everything_lies_within_the_drawing(edges: Edges) -> None:
    layout = laid_out(edges)
    for box in layout.boxes.values():
        assert -1e-6 <= box.x - box.width / 2 <= box.x + box.width / 2 <= layout.width + 1e-6
        assert -1e-6 <= box.y - HEIGHT / 2 <= box.y + HEIGHT / 2 <= layout.height + 1e-6
    for route in layout.routes:
        assert all(0 <= x <= layout.width for x, _ in route.points)


@pytest.mark.parametrize("name", ["one skip", "chain of 20", "residual tower"])
def test_main_path_is_straight(name: str) -> None:
    layout = laid_out(GRAPHS[name])
    assert len({round(box.x, 6) for box in layout.boxes.values()}) == 1


def test_passing_edges_are_straight_between_their_bends() -> None:
    layout = laid_out(GRAPHS["nested skips"])
    for route in layout.routes:
        assert len({round(x, 6) for x, _ in route.points[1:-1]}) <= 1


@pytest.mark.parametrize("kind", ["residual", "deep", "digits"])
def test_layers_of_a_run_are_clear_of_each_other(kind: str, tmp_path: Path) -> None:
    layout = lay_out(read_run(KINDS[kind](tmp_path / kind)))
    assert_clear(layout)
    assert layout.width < 720


@pytest.mark.parametrize("seed", range(20))
def test_spread_keeps_order_and_distance_and_moves_no_more_than_it_must(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted, sizes = rng.uniform(0, 10, 6).tolist(), rng.uniform(0.1, 4, 6).tolist()
    centres = spread(wanted, sizes)
    needed = [(a + b) / 2 for a, b in pairwise(sizes)]
    assert all(b - a >= need - 1e-9 for (a, b), need in zip(pairwise(centres), needed, strict=True))
    # The gradient of Σ (centre − wanted)² vanishes for every group of centres that touch.
    groups: list[list[int]] = [[0]]
    for k, need in enumerate(needed, start=1):
        if centres[k] - centres[k - 1] > need + 1e-9:
            groups.append([])
        groups[-1].append(k)
    for group in groups:
        assert sum(centres[k] - wanted[k] for k in group) == pytest.approx(0, abs=1e-9)


def test_spread_of_nothing_is_nothing() -> None:
    assert spread([], []) == []
