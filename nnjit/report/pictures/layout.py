"""Where the boxes and arrows of a directed acyclic graph go, drawn from top to bottom in rows.

After Sugiyama, Tagawa & Toda 1981: each node's row is its longest path from a source, or nearer to where it
is used if that takes no longer edges; an edge that passes rows holds a place of its own in each, as if it
were a narrow node; rows are ordered so that few edges cross; then places that a straight line can join form
columns, which move towards their neighbours. As an edge bends only between rows, it never runs through a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

GAP = 26  # between places in a row
LANE = 10  # width of the place that a passing edge holds
ROW_GAP = 26
SWEEPS = 12

Place = tuple[str, ...]  # (node,), or (source, target, row) of an edge that passes


@dataclass(frozen=True)
class Box:
    """A node's rectangle; (x, y) is its centre, y grows downwards."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """An edge: `points` from its source's bottom to its target's top, of which every other piece bends."""

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
        widths: of each node's box, in topological order.
        edges: (source, target), each pair once.
        box_height: of every box.
    """
    rank = _ranks(list(widths), edges)
    rows, links = _rows(rank, edges)
    rows, x = _placed(rows, links, widths)
    left = min(x[place] - _width(place, widths) / 2 for row in rows for place in row)
    right = max(x[place] + _width(place, widths) / 2 for row in rows for place in row)
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
            rank[name] = min(users) - 1  # edges out are as many as edges in, or more: these grow shorter
    return rank


def _passing(edge: tuple[str, str], rank: Mapping[str, int]) -> list[Place]:
    """The places of an edge from its source to its target, both included."""
    source, target = edge
    between = [(source, target, str(row)) for row in range(rank[source] + 1, rank[target])]
    return [(source,), *between, (target,)]


def _rows(
    rank: Mapping[str, int], edges: Sequence[tuple[str, str]]
) -> tuple[list[list[Place]], list[tuple[Place, Place]]]:
    """The places of each row, and the links between places of neighbouring rows."""
    rows: list[list[Place]] = [[] for _ in range(max(rank.values()) + 1)]
    for name, row in rank.items():
        rows[row].append((name,))
    links = []
    for edge in edges:
        places = _passing(edge, rank)
        for row, place in enumerate(places[1:-1], start=rank[edge[0]] + 1):
            rows[row].append(place)
        links += list(pairwise(places))
    return rows, links


def _neighbours(
    links: Sequence[tuple[Place, Place]],
) -> tuple[dict[Place, list[Place]], dict[Place, list[Place]]]:
    above: dict[Place, list[Place]] = {}
    below: dict[Place, list[Place]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    return above, below


def _placed(
    rows: list[list[Place]], links: Sequence[tuple[Place, Place]], widths: Mapping[str, float]
) -> tuple[list[list[Place]], dict[Place, float]]:
    """Rows in an order of few crossings, and each place's x: of several orders the one of shortest edges."""
    above, below = _neighbours(links)
    found = [_ordered(start, above, below, down) for start in _starts(rows) for down in (True, False)]
    fewest = min(_crossings(order, below) for order in found)
    placed = [(o, _centres(o, links, widths)) for o in found if _crossings(o, below) == fewest]
    return min(placed, key=lambda pair: sum(abs(pair[1][a] - pair[1][b]) for a, b in links))


def _starts(rows: list[list[Place]]) -> tuple[list[list[Place]], ...]:
    return rows, [row[::-1] for row in rows]


def _ordered(
    rows: list[list[Place]],
    above: Mapping[Place, list[Place]],
    below: Mapping[Place, list[Place]],
    is_first_down: bool,
) -> list[list[Place]]:
    """The rows, ordered by sweeps of the barycentre rule; the best order met."""
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


def _sweep(rows: list[list[Place]], towards: Mapping[Place, list[Place]]) -> list[list[Place]]:
    done = [rows[0]]
    for row in rows[1:]:
        index = {place: i for i, place in enumerate(done[-1])}
        own = {place: i for i, place in enumerate(row)}
        centre = {
            place: _mean([index[p] for p in towards[place]]) if place in towards else own[place]
            for place in row
        }
        done.append(sorted(row, key=lambda place: (centre[place], own[place])))
    return done


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _crossings(rows: Sequence[Sequence[Place]], below: Mapping[Place, list[Place]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        index = {place: i for i, place in enumerate(lower)}
        ends = [sorted(index[p] for p in below.get(place, ())) for place in upper]
        total += sum(
            a > b for i, these in enumerate(ends) for those in ends[i + 1 :] for a in these for b in those
        )
    return total


def _width(place: Place, widths: Mapping[str, float]) -> float:
    return widths[place[0]] if len(place) == 1 else LANE


def _centres(
    rows: Sequence[Sequence[Place]], links: Sequence[tuple[Place, Place]], widths: Mapping[str, float]
) -> dict[Place, float]:
    """Each place's x: that of its column, which moves towards its neighbours as far as the others let it.

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
    return {place: x[column[place]] for place in column}


def _columns(rows: Sequence[Sequence[Place]], links: Sequence[tuple[Place, Place]]) -> dict[Place, Place]:
    """For each place, the topmost one of its column: passing edges go straight first, then box below box."""
    index = {place: (row, i) for row, places in enumerate(rows) for i, place in enumerate(places)}
    column = {place: place for row in rows for place in row}
    straight: list[list[tuple[int, int]]] = [
        [] for _ in rows
    ]  # by row, the links drawn straight down from it
    for upper, lower in sorted(links, key=_importance):
        (row, i), (_, j) = index[upper], index[lower]
        if all((i - k) * (j - m) > 0 for k, m in straight[row]):
            straight[row].append((i, j))
            column[lower] = upper
    for row_places in rows:
        for place in row_places:
            column[place] = column[column[place]]
    return column


def _importance(link: tuple[Place, Place]) -> int:
    passing = sum(len(place) > 1 for place in link)
    return {2: 0, 0: 1, 1: 2}[passing]


def _packed(x: dict[Place, float], apart: Sequence[tuple[Place, Place, float]]) -> dict[Place, float]:
    """The columns as far left as their distances let them."""
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
    x: Mapping[Place, float],
    left: float,
    pitch: float,
    box_height: float,
) -> Route:
    points = []
    for row, place in enumerate(_passing(edge, rank), start=rank[edge[0]]):
        at, top = x[place] - left, row * pitch
        points += [(at, top), (at, top + box_height)]
    return Route(*edge, tuple(points[1:-1]))
