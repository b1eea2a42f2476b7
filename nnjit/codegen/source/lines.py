"""Build source line by line, with blocks of indented lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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
        self._lines: list[tuple[int, str]] = []
        self._depth = 0
        self.add(*first)

    def add(self, *texts: str) -> None:
        """Append lines at the current depth."""
        self._lines += [(self._depth, text) for text in texts]

    def include(self, other: Lines) -> None:
        """Append the lines of another part at the current depth."""
        self._lines += [(self._depth + depth, text) for depth, text in other._lines]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Append `head`; what is appended inside is its block."""
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
        """Those of the definitions, `names = value`, whose names these lines or later definitions use.

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
    """The lines of a batch that threads may share: some come once, and some for every share.

    A thread runs the latter for one of its shares after another, as far as the next line that comes once.

    Args:
        is_shared: whether there are shares.
        definitions: gives the definitions that lines of a share may need.
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
        """Append a block that comes once, though it may have lines for every share."""
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
        """Collect the lines that are appended inside, to be included later."""
        body, outer = Lines(), (self.lines, self._pending)
        self.lines, self._pending = Lines(), Lines()
        yield body
        body.include(self.lines)
        body.include(self._pending)
        self.lines, self._pending = outer

    def end_shares(self) -> None:
        """End the lines of a share; what is appended next comes after those of all shares."""
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
