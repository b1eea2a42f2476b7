"""Build source line by line, with blocks of indented lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


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

    def __bool__(self) -> bool:
        return bool(self._lines)

    def __str__(self) -> str:
        return "\n".join("    " * depth + text for depth, text in self._lines)
