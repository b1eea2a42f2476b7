"""Write options as YAML with comments at the ends of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnjit.config.reading import parse
from nnjit.config.writing import dump_lines
from nnjit.errors import ConfigPath

_BLOCKS: frozenset[ConfigPath] = frozenset(
    {("data",), ("data", "target"), ("data", "columns"), ("model",), ("losses",), ("training",)}
)
_FARTHEST = 50  # column of the comments; on a longer line, farther


def written(
    options: Mapping[str, Any],
    comments: Mapping[ConfigPath, str],
    head: Sequence[str],
    *,
    escaped: bool = False,
) -> str:
    """The options as YAML, with comments aligned on the right.

    Args:
        comments: the comments by the path of their option; those of absent options are ignored.
        head: comments at the top.
        escaped: whether to write characters beyond ASCII as escapes.
    """
    text = dump_lines(options, _BLOCKS, escaped=escaped)
    lines = text.splitlines()
    _, places = parse(text, str)
    beside = {int(places[path]) - 1: text for path, text in comments.items() if text and path in places}
    column = max((len(lines[k]) for k in beside if len(lines[k]) < _FARTHEST), default=0)
    for k, comment in beside.items():
        lines[k] = f"{lines[k]:<{column}}  # {comment}"
    return "\n".join([*(f"# {each}" for each in head), *lines]) + "\n"
