"""Find the differences between configs: a row for each option that is not the same in all.

A layer that only some runs have is one row. Layers are aligned by content, not by index; otherwise an extra
layer at the beginning would make all of them differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnjit.report.formatting import Row, shorten

ABSENT = "–"
LONGEST = 60  # characters of an option's value

Options = Mapping[str, Any]
"""A config as plain data: mappings, tuples and scalars."""
Pair = tuple[int | None, int | None]


class _Missing:
    """Marks an option that a config does not have."""


MISSING = _Missing()


def differing(labels: Sequence[str], values: Sequence[Any], path: str = "") -> Iterator[Row]:
    """Yield the rows: an option as a dotted path, and its value in each config.

    If a layer's index differs between configs, the path has all of them: `model[1 / 2].units`.

    >>> first, second = {"type": "dense", "units": 2}, {"type": "dropout"}
    >>> list(differing("ab", [{"model": (first,)}, {"model": (second, first)}]))
    [('model[0], only in b', '–', '{type: dropout}')]
    """
    if all(value == values[0] for value in values):
        return
    if all(isinstance(value, Mapping) or value is MISSING for value in values):
        sections = [{} if value is MISSING else value for value in values]
        for key in dict.fromkeys(key for section in sections for key in section):
            inner = [section.get(key, MISSING) for section in sections]
            yield from differing(labels, inner, f"{path}.{key}" if path else str(key))
    elif all(isinstance(value, tuple) for value in values) and any(map(_holds_mappings, values)):
        for indices in _aligned(values):
            inner = [MISSING if k is None else v[k] for k, v in zip(indices, values, strict=True)]
            owners, here = _owners(labels, indices), f"{path}[{_index(indices)}]"
            yield from (
                [_row(f"{here}, only in {owners}", inner)] if owners else differing(labels, inner, here)
            )
    else:
        yield _row(path, values)


def _row(name: str, values: Sequence[Any]) -> Row:
    return name, *(shorten(_text(value), LONGEST) for value in values)


def _holds_mappings(values: tuple[Any, ...]) -> bool:
    return any(isinstance(value, Mapping) for value in values)


def _index(indices: Sequence[int | None]) -> str:
    """A layer's index in the lists that have it: `1`, or `1 / 2` if they differ."""
    known = [str(k) for k in indices if k is not None]
    return known[0] if len(set(known)) == 1 else " / ".join(known)


def _owners(labels: Sequence[str], indices: Sequence[int | None]) -> str:
    """The runs that have it; empty if all do."""
    owners = [label for label, k in zip(labels, indices, strict=True) if k is not None]
    return "" if len(owners) == len(labels) else ", ".join(owners)


def _aligned(lists: Sequence[tuple[Any, ...]]) -> list[tuple[int | None, ...]]:
    """Rows with a layer's index in each list, None for a list without it."""
    rows: list[tuple[int | None, ...]] = [(k,) for k in range(len(lists[0]))]
    for count, entries in enumerate(lists[1:], start=1):
        firsts = [next(v[k] for k, v in zip(row, lists, strict=False) if k is not None) for row in rows]
        absent = (None,) * count
        rows = [(*(absent if i is None else rows[i]), j) for i, j in _pairs(firsts, entries)]
    return rows


def _pairs(a: Sequence[Any], b: Sequence[Any]) -> Iterator[Pair]:
    """Pair the indices of the most similar entries of both lists, in order; None for a missing partner."""
    best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]  # the best likeness of a[i:] and b[j:]
    for i in reversed(range(len(a))):
        for j in reversed(range(len(b))):
            both = best[i + 1][j + 1] + _likeness(a[i], b[j])
            best[i][j] = max(best[i + 1][j], best[i][j + 1], both)
    i = j = 0
    while i < len(a) and j < len(b):
        if (alike := _likeness(a[i], b[j])) and best[i][j] == best[i + 1][j + 1] + alike:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            yield i, None
            i += 1
        else:
            yield None, j
            j += 1
    yield from ((k, None) for k in range(i, len(a)))
    yield from ((None, k) for k in range(j, len(b)))


def _likeness(a: object, b: object) -> float:
    """0 for different types; for the same type, 1 plus the fraction of equal options."""
    if not (isinstance(a, Mapping) and isinstance(b, Mapping)):
        return 2.0 if a == b else 0.0
    if a.get("type") != b.get("type"):
        return 0.0
    keys = a.keys() | b.keys()
    same = [key for key in keys if a.get(key, MISSING) == b.get(key, MISSING)]
    return 1 + len(same) / max(len(keys), 1)


def _text(value: Any) -> str:
    """Format a value as in a config."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_text(inner)}' for key, inner in value.items())}}}"
    if value is MISSING:
        return ABSENT
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
