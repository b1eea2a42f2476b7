"""Describe a network's inputs and outputs for the head of an exported file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from nnjit.export.network import Network, NetworkOutput
from nnjit.nn.layers.shared.columns import InputColumn
from nnjit.version import VERSION

WIDTH = 100


def description(network: Network) -> list[str]:
    """Lines for the head of a file, except those on its usage."""
    return [line for sentence in _sentences(network) for line in _wrapped(sentence) or [""]]


def title(network: Network) -> str:
    """The network's name for the first line of a Python file."""
    return network.name.encode("ascii", "replace").decode().replace("\\", "?").replace('"', "'")


def in_docstring(network: Network) -> str:
    """The description as part of a docstring."""
    return "\n".join(description(network)).replace("\\", "\\\\").replace('"""', "'''")


def _wrapped(sentence: str) -> list[str]:
    indent = "  " if sentence.startswith("- ") else ""
    return textwrap.wrap(sentence, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _sentences(network: Network) -> Iterator[str]:
    yield f"Exported by nnjit {VERSION}."
    yield ""
    shape = ", ".join(map(str, ("n", *network.input_shape)))
    scaled = " They are in the data's own units: scaling is part of the network."
    yield f"Inputs have the shape ({shape}).{scaled if network.scaling.changes_inputs else ''}"
    coded = [column for column in network.columns if column.entries]
    if coded:
        yield "Categories are numbers, as the table's encoder makes them:"
        yield from (f"- {_coded(column)}" for column in coded)
    for output in network.outputs:
        yield f"Output {output.name}: {output_words(output)}."


def output_words(output: NetworkOutput) -> str:
    """Describe the content of an output."""
    if output.classes is not None:
        return f"a probability for each of {len(output.classes)} classes"
    names = "" if output.targets == (output.name,) else f" of {', '.join(output.targets)}"
    return f"values{names} in the data's own units"


def _coded(column: InputColumn) -> str:
    entries = ", ".join(column.entries[:20]) + (", …" if len(column.entries) > 20 else "")
    how = "the index (from 0) into" if column.is_indexed else "one-hot over"
    return f"{column.name}: {how} {entries}"
