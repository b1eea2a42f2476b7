"""Build source line by line, with blocks of indented lines, and divide a long function into sections.

A section is a function of limited length that the long one calls. Building a function's code and compiling it
both take quadratic time (a network of 48 residual blocks: 40 s in one function of 6,000 lines). A section
makes the views that its lines use itself, so only numbers are passed between functions.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

LONG = 640  # lines from which a function is divided
MOST_LINES = 64  # of a section, without its views
FEWEST_LINES = 8

CARRIED = ("phase", "failed")  # numbers that a section may change
_NAME = re.compile(r"\b[A-Za-z_]\w*\b(?!\()")
_TARGETS = re.compile(r"(?:for )?(\w+(?:, \w+)*)(?: [+-]?= | in range)")
_VIEW = re.compile(r"\w+ = (?:\w+_at|part)\(")


class Line(NamedTuple):
    """A line and its depth: the number of blocks around it."""

    depth: int
    text: str


WORD = re.compile(r"[A-Za-z_]\w*")


class Lines:
    """The lines of a function or a part of one.

    >>> lines = Lines()
    >>> with lines.block("for i in range(n):"):
    ...     lines.add("a[i] = 0", "b[i] = 1")
    >>> print(lines)
    for i in range(n):
        a[i] = 0
        b[i] = 1
    """

    def __init__(self, *first: str) -> None:
        self._lines: list[Line] = []
        self._depth = 0
        self.add(*first)

    def add(self, *texts: str) -> None:
        """Append lines at the current depth."""
        self._lines += [Line(self._depth, text) for text in texts]

    def include(self, other: Lines) -> None:
        """Append the lines of another part at the current depth."""
        self._lines += [Line(self._depth + depth, text) for depth, text in other._lines]

    def add_at(self, depth: int, text: str) -> None:
        """Append a line so many blocks deeper than the current depth."""
        self._lines.append(Line(self._depth + depth, text))

    @property
    def rows(self) -> Sequence[Line]:
        """The lines so far."""
        return self._lines

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Append `head`; lines appended inside form its block."""
        self.add(head)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def as_body(self, parameters: Sequence[str]) -> str:
        """These lines as the body of a function of `parameters`, without its name."""
        whole = Lines()
        with whole.block(f"({', '.join(parameters)}):"):
            whole.include(self)
        return f"{whole}\n"

    def needed(self, definitions: Sequence[str]) -> list[str]:
        """The definitions, `names = value`, whose names these lines or later definitions use.

        >>> Lines("copy(x, n)").needed(["first = 4", "y = f(first)", "m = 2", "x = part(m, 1)"])
        ['m = 2', 'x = part(m, 1)']
        """
        used = {word for _, text in self._lines for word in WORD.findall(text)}
        found = []
        for definition in reversed(definitions):
            names, _, value = definition.partition(" = ")
            if not used.isdisjoint(WORD.findall(names)):
                used.update(WORD.findall(value))
                found.append(definition)
        return found[::-1]

    def __bool__(self) -> bool:
        return bool(self._lines)

    def __str__(self) -> str:
        return "\n".join("    " * depth + text for depth, text in self._lines)


class SharedLines:
    """The lines of a batch that threads may share: some come once, others for every share.

    A thread runs the latter for one of its shares after another, up to the next line that comes once.

    Args:
        is_shared: whether there are shares.
        definitions: returns the definitions that lines of a share may need.
    """

    def __init__(self, definitions: Callable[[], Sequence[str]], *, is_shared: bool) -> None:
        self.lines, self._pending = Lines(), Lines()
        self._definitions, self._is_shared, self._is_first_alone = definitions, is_shared, False

    def each(self, *texts: str) -> None:
        """Append lines that come for every share."""
        is_pending = self._is_shared and not self._is_first_alone
        (self._pending if is_pending else self.lines).add(*texts)

    def once(self, *texts: str) -> None:
        """Append lines that come once."""
        self.end_shares()
        self.lines.add(*texts)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Append a block that comes once but may have lines for every share."""
        self.end_shares()
        with self.lines.block(head):
            yield
            self.end_shares()

    @contextmanager
    def block_of_share(self, head: str) -> Iterator[Lines]:
        """Append a block that comes for every share."""
        with self._pending.block(head):
            yield self._pending

    @contextmanager
    def first_thread(self) -> Iterator[None]:
        """Append a block for the first thread alone."""
        with self.block("if thread == 0:"):
            self._is_first_alone = True
            yield
            self._is_first_alone = False

    @contextmanager
    def set_aside(self) -> Iterator[Lines]:
        """Collect the lines appended inside, to be included later."""
        body, outer = Lines(), (self.lines, self._pending)
        self.lines, self._pending = Lines(), Lines()
        yield body
        body.include(self.lines)
        body.include(self._pending)
        self.lines, self._pending = outer

    def end_shares(self) -> None:
        """End the lines of a share; lines appended next come after those of all shares."""
        if self._pending:
            self.lines.include(self.over_shares(self._pending))
            self._pending = Lines()

    def over_shares(self, body: Lines) -> Lines:
        """A loop of a thread over its shares."""
        lines = Lines()
        with lines.block("for share in range(thread, shares, threads):"):
            lines.add(*body.needed(self._definitions()))
            lines.include(body)
        return lines


def divided(parameters: Sequence[str], lines: Lines, add: Callable[[str, str], str]) -> Lines:
    """Return the lines of a function of `parameters`; a long one calls sections instead of having most lines.

    Args:
        add: adds a function to the program, given the beginning of its name and its body; returns its name.
    """
    return _Function(parameters, lines, add).divided() if len(lines.rows) >= LONG else lines


class _Function:
    """The lines of a function, with the names that each reads and writes."""

    def __init__(self, parameters: Sequence[str], lines: Lines, add: Callable[[str, str], str]) -> None:
        self.rows, self.add = lines.rows, add
        self.writes = [_targets(row.text) for row in self.rows]
        known = {*parameters, *chain.from_iterable(self.writes)}
        self.reads = [_names(row.text, known) for row in self.rows]
        self.places: dict[str, list[int]] = {}  # of the lines that have a name
        for k, names in enumerate(zip(self.reads, self.writes, strict=True)):
            for name in {*chain.from_iterable(names)}:
                self.places.setdefault(name, []).append(k)
        made = {row.text: k for k, row in enumerate(self.rows) if _VIEW.match(row.text)}
        times = Counter(self.writes[k][0] for k in made.values())
        self.views = {name: k for k in made.values() if times[name := self.writes[k][0]] == 1}

    def divided(self) -> Lines:
        return self._without_idle_views(self._divided(0, len(self.rows)))

    def _divided(self, begin: int, end: int) -> Iterator[Line]:
        """The rows from `begin` up to `end`, with sections."""
        group: list[range] = []
        for item in self._items(begin, end):
            if self._is_movable(item):
                if sum(map(len, group)) + len(item) > MOST_LINES or len(self._carried([*group, item])) > 1:
                    yield from self._section(group)
                    group = []
                group.append(item)
                continue
            yield from self._section(group)
            group = []
            yield self.rows[item[0]]
            yield from self._divided(item[1], item[-1] + 1) if len(item) > 1 else ()
        yield from self._section(group)

    def _items(self, begin: int, end: int) -> Iterator[range]:
        """Lines at the depth of the first one, each with the block below it."""
        first = begin
        for k in range(begin + 1, end + 1):
            if k == end or self.rows[k].depth <= self.rows[begin].depth:
                yield range(first, k)
                first = k

    def _is_movable(self, item: range) -> bool:
        """Whether a section can contain a line with its block: nothing after it reads what it assigns."""
        first = self.rows[item[0]].text
        if len(item) > MOST_LINES or any(self.rows[k].text.startswith("return") for k in item):
            return False
        if len(item) == 1 and self.writes[item[0]] and self.writes[item[0]][0] not in CARRIED:
            return False
        if first.startswith(("else", "elif")):
            return False
        own = set(chain.from_iterable(self.writes[k] for k in item)).difference(CARRIED)
        return not any(self._is_read_after(name, item) for name in own)

    def _is_read_after(self, name: str, item: range) -> bool:
        """Whether the next line with a name reads it; after the last line comes the first."""
        places = self.places[name]
        after = bisect_right(places, item[-1])
        k = places[after] if after < len(places) else places[0]
        return k not in item and name in self.reads[k]

    def _carried(self, items: Iterable[range]) -> list[str]:
        written = set(chain.from_iterable(self.writes[k] for item in items for k in item))
        return [name for name in CARRIED if name in written]

    def _section(self, group: Sequence[range]) -> Iterator[Line]:
        """The call of a new section; the lines themselves if they are few."""
        rows = [k for item in group for k in item]
        if len(rows) < FEWEST_LINES:
            yield from (self.rows[k] for k in rows)
            return
        carried, own = self._carried(group), self._views_of(rows)
        body, given = Lines(), self._free([*own, *rows])
        body.add(*(self.rows[k].text for k in own))
        depth = self.rows[rows[0]].depth
        for k in rows:
            body.add_at(self.rows[k].depth - depth, self.rows[k].text)
        body.add(*(f"return {name}" for name in carried))
        name = self.add("section", body.as_body(given))
        result = "".join(f"{name} = " for name in carried)
        yield Line(depth, f"{result}{name}({', '.join(given)})")

    def _views_of(self, rows: Sequence[int]) -> list[int]:
        """The lines that make the views these lines need, and the views that contain those."""
        made = set(chain.from_iterable(self.writes[k] for k in rows))
        waiting = [name for k in rows for name in self.reads[k]]
        found: set[int] = set()
        while waiting:
            name = waiting.pop()
            if name in self.views and name not in made and self.views[name] not in found:
                found.add(self.views[name])
                waiting += self.reads[self.views[name]]
        return sorted(found)

    def _free(self, rows: Sequence[int]) -> list[str]:
        """The names that lines read before they assign them, if ever."""
        free: dict[str, None] = {}
        made: set[str] = set()
        for k in rows:
            free.update(dict.fromkeys(name for name in self.reads[k] if name not in made))
            made.update(self.writes[k])
        return list(free)

    def _without_idle_views(self, rows: Iterable[Line]) -> Lines:
        """The lines, except those that make a view no later line reads."""
        kept, used = [], set[str]()
        for row in reversed(list(rows)):
            is_view = _VIEW.match(row.text) is not None
            if is_view and _targets(row.text)[0] not in used:
                continue
            used.update(_NAME.findall(row.text.partition(" = ")[2] if is_view else row.text))
            kept.append(row)
        lines = Lines()
        for row in reversed(kept):
            lines.add_at(row.depth, row.text)
        return lines


def _targets(text: str) -> list[str]:
    """The names that a line assigns."""
    match = _TARGETS.match(text)
    return match[1].split(", ") if match else []


def _names(text: str, known: set[str]) -> list[str]:
    """The names that a line reads, in order."""
    code, match = text.partition("    # ")[0], _TARGETS.match(text)
    read = code[match.end() :] if match and "+=" not in match[0] and "-=" not in match[0] else code
    return [name for name in dict.fromkeys(_NAME.findall(read)) if name in known]
