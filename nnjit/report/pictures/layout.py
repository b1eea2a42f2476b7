"""Lay out the boxes and arrows of a directed acyclic graph in rows from top to bottom.

After Sugiyama, Tagawa & Toda 1981: each node's row is its longest path from a source, or nearer to its users
if that lengthens no edge; an edge that passes rows has a narrow vertex in each; rows are ordered to reduce
crossings; vertices that a straight line can join form columns, which move towards their neighbours. Edges
bend only between rows, so they never run through a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

GAP = 26  # between vertices in a row
LANE = 10  # width of a passing edge's vertex
ROW_GAP = 26
SWEEPS = 12

Vertex = tuple[str, ...]  # (node,), or (source, target, row) for a passing edge


@dataclass(frozen=True)
class Box:
    """A node's rectangle; (x, y) is its centre, y grows downwards."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """An edge: `points` from its source's bottom to its target's top; every other segment bends."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """The whole drawing, from (0, 0) to (width, height)."""

    boxes: Mapping[str, Box]
    routes: tuple[Route, ...]
    width: float
    height: float


def arrange(widths: Mapping[str, float], edges: Sequence[tuple[str, str]], *, box_height: float) -> Layout:
    """Lay out a graph.

    Args:
        widths: the width of each node's box, in topological order.
        edges: (source, target), each pair once.
        box_height: the height of every box.
    """
    rank = _ranks(list(widths), edges)
    rows, links = _rows(rank, edges)
    rows, x = _placed(rows, links, widths)
    left = min(x[vertex] - _width(vertex, widths) / 2 for row in rows for vertex in row)
    right = max(x[vertex] + _width(vertex, widths) / 2 for row in rows for vertex in row)
    pitch = box_height + ROW_GAP
    boxes = {
        name: Box(x[(name,)] - left, rank[name] * pitch + box_height / 2, width, box_height)
        for name, width in widths.items()
    }
    routes = tuple(_route(edge, rank, x, left, pitch, box_height) for edge in edges)
    return Layout(boxes, routes, right - left, len(rows) * pitch - ROW_GAP)


def _ranks(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    rank = dict.fromkeys(names, 0)
    for name in names:
        rank[name] = max((rank[source] + 1 for source, target in edges if target == name), default=0)
    for name in reversed(names):
        users = [rank[target] for source, target in edges if source == name]
        if users and sum(target == name for _, target in edges) <= len(users):
            rank[name] = min(users) - 1  # shortens the edges out, which are at least as many as those in
    return rank


def _passing(edge: tuple[str, str], rank: Mapping[str, int]) -> list[Vertex]:
    """The vertices of an edge from its source to its target, both included."""
    source, target = edge
    between = [(source, target, str(row)) for row in range(rank[source] + 1, rank[target])]
    return [(source,), *between, (target,)]


def _rows(
    rank: Mapping[str, int], edges: Sequence[tuple[str, str]]
) -> tuple[list[list[Vertex]], list[tuple[Vertex, Vertex]]]:
    """The vertices of each row, and the links between vertices of neighbouring rows."""
    rows: list[list[Vertex]] = [[] for _ in range(max(rank.values()) + 1)]
    for name, row in rank.items():
        rows[row].append((name,))
    links = []
    for edge in edges:
        vertices = _passing(edge, rank)
        for row, vertex in enumerate(vertices[1:-1], start=rank[edge[0]] + 1):
            rows[row].append(vertex)
        links += list(pairwise(vertices))
    return rows, links


def _neighbours(
    links: Sequence[tuple[Vertex, Vertex]],
) -> tuple[dict[Vertex, list[Vertex]], dict[Vertex, list[Vertex]]]:
    above: dict[Vertex, list[Vertex]] = {}
    below: dict[Vertex, list[Vertex]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    return above, below


def _placed(
    rows: list[list[Vertex]], links: Sequence[tuple[Vertex, Vertex]], widths: Mapping[str, float]
) -> tuple[list[list[Vertex]], dict[Vertex, float]]:
    """Rows ordered for few crossings, and each vertex's x, from the order with the shortest edges."""
    above, below = _neighbours(links)
    found = [_ordered(start, above, below, down) for start in _starts(rows) for down in (True, False)]
    fewest = min(_crossings(order, below) for order in found)
    placed = [(o, _centres(o, links, widths)) for o in found if _crossings(o, below) == fewest]
    return min(placed, key=lambda pair: sum(abs(pair[1][a] - pair[1][b]) for a, b in links))


def _starts(rows: list[list[Vertex]]) -> tuple[list[list[Vertex]], ...]:
    return rows, [row[::-1] for row in rows]


def _ordered(
    rows: list[list[Vertex]],
    above: Mapping[Vertex, list[Vertex]],
    below: Mapping[Vertex, list[Vertex]],
    is_first_down: bool,
) -> list[list[Vertex]]:
    """Order the rows by sweeps of the barycentre rule, and return the best order found."""
    best, fewest = rows, _crossings(rows, below)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = (sweep % 2 == 0) == is_first_down
        rows = _sweep(rows if down else rows[::-1], above if down else below)
        rows = rows if down else rows[::-1]
        if (crossings := _crossings(rows, below)) < fewest:
            best, fewest = rows, crossings
    return best


def _sweep(rows: list[list[Vertex]], towards: Mapping[Vertex, list[Vertex]]) -> list[list[Vertex]]:
    done = [rows[0]]
    for row in rows[1:]:
        index = {vertex: i for i, vertex in enumerate(done[-1])}
        position = {vertex: i for i, vertex in enumerate(row)}
        centre = {
            vertex: _mean([index[p] for p in towards[vertex]]) if vertex in towards else position[vertex]
            for vertex in row
        }
        done.append(sorted(row, key=lambda vertex: (centre[vertex], position[vertex])))
    return done


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _crossings(rows: Sequence[Sequence[Vertex]], below: Mapping[Vertex, list[Vertex]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        index = {vertex: i for i, vertex in enumerate(lower)}
        ends = [sorted(index[p] for p in below.get(vertex, ())) for vertex in upper]
        total += sum(
            a > b for i, these in enumerate(ends) for those in ends[i + 1 :] for a in these for b in those
        )
    return total


def _width(vertex: Vertex, widths: Mapping[str, float]) -> float:
    return widths[vertex[0]] if len(vertex) == 1 else LANE


def _centres(
    rows: Sequence[Sequence[Vertex]], links: Sequence[tuple[Vertex, Vertex]], widths: Mapping[str, float]
) -> dict[Vertex, float]:
    """Each vertex's x, that of its column, which moves towards its neighbours as far as other columns allow.

    A simpler relative of Brandes & Köpf 2002.
    """
    column = _columns(rows, links)
    apart = [
        (column[a], column[b], (_width(a, widths) + _width(b, widths)) / 2 + GAP)
        for row in rows
        for a, b in pairwise(row)
    ]
    x = _packed(dict.fromkeys(column.values(), 0.0), apart)
    bends = [(column[a], column[b]) for a, b in links if column[a] != column[b]]
    for sweep in range(SWEEPS):
        for moved in sorted(x, key=x.__getitem__, reverse=sweep % 2 == 0):
            ends = [x[a if b == moved else b] for a, b in bends if moved in (a, b)]
            low = max((x[a] + distance for a, b, distance in apart if b == moved), default=-inf)
            high = min((x[b] - distance for a, b, distance in apart if a == moved), default=inf)
            x[moved] = max(low, min(high, _mean(ends))) if ends else x[moved]
    return {vertex: x[column[vertex]] for vertex in column}


def _columns(
    rows: Sequence[Sequence[Vertex]], links: Sequence[tuple[Vertex, Vertex]]
) -> dict[Vertex, Vertex]:
    """Map each vertex to the top one of its column: straighten passing edges first, then stack boxes."""
    index = {vertex: (row, i) for row, vertices in enumerate(rows) for i, vertex in enumerate(vertices)}
    column = {vertex: vertex for row in rows for vertex in row}
    straight: list[list[tuple[int, int]]] = [
        [] for _ in rows
    ]  # by row, the links that go straight down from it
    for upper, lower in sorted(links, key=_importance):
        (row, i), (_, j) = index[upper], index[lower]
        if all((i - k) * (j - m) > 0 for k, m in straight[row]):
            straight[row].append((i, j))
            column[lower] = upper
    for row_vertices in rows:
        for vertex in row_vertices:
            column[vertex] = column[column[vertex]]
    return column


def _importance(link: tuple[Vertex, Vertex]) -> int:
    passing = sum(len(vertex) > 1 for vertex in link)
    return {2: 0, 0: 1, 1: 2}[passing]


def _packed(x: dict[Vertex, float], apart: Sequence[tuple[Vertex, Vertex, float]]) -> dict[Vertex, float]:
    """Move the columns as far left as their distances allow."""
    tight = False
    while not tight:
        tight = True
        for left, right, distance in apart:
            if x[right] < x[left] + distance:
                x[right], tight = x[left] + distance, False
    return x


def _route(
    edge: tuple[str, str],
    rank: Mapping[str, int],
    x: Mapping[Vertex, float],
    left: float,
    pitch: float,
    box_height: float,
) -> Route:
    points = []
    for row, vertex in enumerate(_passing(edge, rank), start=rank[edge[0]]):
        at, top = x[vertex] - left, row * pitch
        points += [(at, top), (at, top + box_height)]
    return Route(*edge, tuple(points[1:-1]))
