"""Write the C file of a network and its header to a folder."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nnjit.export.c.document import Description, Document, document
from nnjit.export.c.network import bound
from nnjit.export.description import description
from nnjit.export.network import Network, NetworkOutput
from nnjit.runs.writing import write_atomically

SOURCE, HEADER = "predict.c", "predict.h"
MOST_NAMES = 100


def write(network: Network, path: Path) -> Sequence[Path]:
    """Write `predict.c` and `predict.h` to a folder; return their paths.

    Raises:
        UserError: C cannot express an operation of a layer.
    """
    made = document_of(network)
    texts = {path / SOURCE: made.source, path / HEADER: made.header}
    path.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        write_atomically(file, text)
    return tuple(texts)


def note(files: Sequence[Path]) -> str:
    """Describe the memory needed by the prediction in these files."""
    header = next(file for file in files if file.name == HEADER).read_text(encoding="utf-8")
    constants, buffers = map(int, re.findall(r"_BYTES = (\d+)", header))
    return f"{'memory':<10}  {constants:,} bytes of constants, {buffers:,} bytes of static buffers, no heap"


def document_of(network: Network) -> Document:
    """Write the files of a network."""
    graph, names = bound(network)
    return document(graph, names, description_of(network))


def description_of(network: Network) -> Description:
    """Describe a network for the header."""
    outputs = network.outputs
    classes = outputs[0].classes if len(outputs) == 1 else None
    size = math.prod(network.input_shape)
    inputs = _listed("x", network.features if len(network.features) == size else ())
    notes = [*description(network), "", *inputs, *_outputs(outputs)]
    return Description(f"The prediction of {network.name}.", notes, classes or ())


def _outputs(outputs: Sequence[NetworkOutput]) -> Iterator[str]:
    start = 0
    for output in outputs:
        names = output.classes or output.targets
        owner = f"{output.name}: " if len(outputs) > 1 else ""
        yield from _listed("y", [f"{owner}{name}" for name in names], start)
        start += len(output.classes or range(output.columns.stop - output.columns.start))


def _listed(array: str, names: Sequence[str], start: int = 0) -> Iterator[str]:
    """A line for each element's name, the first at `start`."""
    for k, name in enumerate(names[:MOST_NAMES], start):
        yield f"{array}[{k}]: {name}"
    if len(names) > MOST_NAMES:
        yield f"… and {len(names) - MOST_NAMES} more"
